#include "volume/manifest.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <compare>
#include <fcntl.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "volume/wire.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kHash = 32;
constexpr std::uint32_t kMaxRecords = 100'000;

void encode(Writer& to, const Record& record) {
  volume::encode(to, record.entry);
  to.text(record.content).text(record.first);
}

/// The order of a scan: a directory before what is in it, siblings by their bytes.
std::strong_ordering order(std::string_view a, std::string_view b) {
  const auto weight = [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)); };
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] != b[i]) return weight(a[i]) <=> weight(b[i]);
  }
  return a.size() <=> b.size();
}

bool is_below(std::string_view path, std::string_view directory) {
  return directory.empty() ||
         (path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/');
}

}  // namespace

std::string encode(const Block& block) {
  Writer to;
  to.text(block.path).u32(static_cast<std::uint32_t>(block.records.size()));
  for (const auto& record : block.records) encode(to, record);
  return to.bytes();
}

Block decode_block(std::string_view bytes) {
  Reader from(bytes);
  Block block;
  block.path = from.text(kMaxPath);
  auto left = from.u32();
  if (left > kMaxRecords) throw Error(Code::kCorrupt, "a manifest's block is too long");
  for (; left > 0; --left) {
    Record record;
    record.entry = decode_entry(from);
    record.content = from.text(kHash);
    record.first = from.text(kMaxPath);
    block.records.push_back(std::move(record));
  }
  from.end();
  return block;
}

void Manifest::add(const Batch& batch, const Digests& digests) {
  Writer to;
  to.u32(static_cast<std::uint32_t>(batch.segments.size()));
  for (std::size_t s = 0; s < batch.segments.size(); ++s) {
    const auto& segment = batch.segments[s];
    to.text(segment.path).u32(static_cast<std::uint32_t>(segment.found.size()));
    for (std::size_t e = 0; e < segment.found.size(); ++e) {
      const auto& seen = segment.found[e];
      volume::encode(to, seen.entry);
      to.u64(seen.device).u64(seen.inode).text(digests[s][e]);
    }
  }
  spool_.put(batch.number, to.bytes());
}

void Manifest::seal() {
  spool_.sort();
  firsts_.clear();
  at_ = 0;
}

std::optional<std::vector<Block>> Manifest::next() {
  if (at_ == spool_.size()) return std::nullopt;
  const auto bytes = spool_.get(at_++);
  Reader from(bytes);
  std::vector<Block> blocks(from.u32());
  for (auto& block : blocks) {
    block.path = from.text(kMaxPath);
    block.records.resize(from.u32());
    for (auto& record : block.records) {
      record.entry = decode_entry(from);
      const auto device = from.u64();
      const auto inode = from.u64();
      record.content = from.text(kHash);
      if (record.entry.shared) {
        const auto path = join_path(block.path, record.entry.name);
        const auto& first = firsts_.emplace(std::pair(device, inode), path).first->second;
        if (first != path) record.first = first;
      }
      record.entry.shared = record.entry.sparse = false;
    }
  }
  return blocks;
}

void TreeHash::close_last() {
  auto& level = levels_.back();
  Sha256 both;
  both.update(level.records.finish());
  both.update(level.directories.finish());
  last_ = both.finish();
  levels_.pop_back();
  if (!levels_.empty()) levels_.back().directories.update(last_);
}

void TreeHash::add(const Block& block) {
  while (!levels_.empty() && levels_.back().path != block.path && !is_below(block.path, levels_.back().path)) {
    close_last();
  }
  if (levels_.empty() || levels_.back().path != block.path) {
    Level level;
    level.path = block.path;
    levels_.push_back(std::move(level));
  }
  Writer to;
  for (const auto& record : block.records) encode(to, record);
  levels_.back().records.update(to.bytes());
}

std::string TreeHash::finish(const Entry& root) {
  while (!levels_.empty()) close_last();
  Writer to;
  volume::encode(to, root);
  to.raw(last_);
  return sha256(to.bytes());
}

bool Comparison::load() {
  while (block_ == blocks_.size() || record_ == blocks_[block_].records.size()) {
    if (block_ < blocks_.size()) {
      ++block_;
      record_ = 0;
      continue;
    }
    auto more = mine_->next();
    if (!more) return false;
    for (const auto& block : *more) hash_.add(block);
    blocks_ = std::move(*more);
    block_ = record_ = 0;
  }
  return true;
}

bool Leniency::excuses(std::string_view path, std::string_view what) const {
  if (anything) return true;
  for (auto at = path; !changed.empty() && !at.empty(); at = at.substr(0, at.rfind('/'))) {
    if (changed.contains(at)) return true;
    if (!at.contains('/')) break;
  }
  if (!losses) return false;
  static constexpr std::array<std::string_view, 4> kLosses{"owner", "mode", "attributes", "device"};
  return std::ranges::all_of(split(what, ','), [&](const auto& part) {
    // The root of a volume is its storage's: only its owner may give it a time.
    return std::ranges::find(kLosses, trim(part)) != kLosses.end() || (path.empty() && trim(part) == "time");
  });
}

void Comparison::report(const Record& record, std::string path, std::string what) {
  if (leniency_.excuses(path, what) || (!record.first.empty() && leniency_.excuses(record.first, what))) {
    ++report_->excused;
    return;
  }
  ++report_->differing;
  note(report_->differences, Difference{std::move(path), std::move(what)});
}

void Comparison::compare(const Record& source, const Record& destination, const std::string& path) {
  if (auto what = difference(source, destination); !what.empty()) report(source, path, std::move(what));
}

void Comparison::add(const Block& source) {
  for (const auto& record : source.records) {
    const auto path = join_path(source.path, record.entry.name);
    bool found = false;
    while (load()) {
      const auto& block = blocks_[block_];
      const auto& mine = block.records[record_];
      auto turn = order(block.path, source.path);
      if (turn == 0) turn = mine.entry.name <=> record.entry.name;
      if (turn > 0) break;
      ++record_;
      if (turn < 0) {
        report(mine, join_path(block.path, mine.entry.name), "extra");
        continue;
      }
      compare(record, mine, path);
      found = true;
      break;
    }
    const auto type = record.entry.type;
    const bool device = type == Type::kCharDevice || type == Type::kBlockDevice;
    if (!found) report(record, path, device ? "device" : "missing");
  }
}

void Comparison::end() {
  for (; load(); ++record_) {
    const auto& record = blocks_[block_].records[record_];
    report(record, join_path(blocks_[block_].path, record.entry.name), "extra");
  }
}

std::string Comparison::difference(const Record& source, const Record& destination) {
  const auto& a = source.entry;
  const auto& b = destination.entry;
  if (a.type != b.type) return "type";
  std::vector<std::string_view> what;
  if (a.size != b.size) what.emplace_back("size");
  if (source.content != destination.content) what.emplace_back("content");
  if (a.mode != b.mode) what.emplace_back("mode");
  if (a.uid != b.uid || a.gid != b.gid) what.emplace_back("owner");
  if (a.mtime_ns != b.mtime_ns) what.emplace_back("time");
  if (a.xattrs != b.xattrs) what.emplace_back("attributes");
  if (a.target != b.target) what.emplace_back("target");
  if (a.rdev != b.rdev) what.emplace_back("device");
  if (source.first != destination.first) what.emplace_back("hard link");
  return fmt::format("{}", fmt::join(what, ", "));
}

}  // namespace mtc::volume
