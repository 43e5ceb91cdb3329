#include "volume/wire.hpp"

#include <algorithm>
#include <array>
#include <xxhash.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "volume/file_error.hpp"

namespace mtc::volume {
namespace {

constexpr std::string_view kMagic = "mtcvolume";
constexpr std::uint32_t kMaxLanes = 64;
constexpr std::uint32_t kMaxItems = 100'000;
constexpr std::size_t kMaxMessage = 8192;

std::string safe_path(Reader& from) {
  std::string path(from.text(kMaxPath));
  if (!is_safe_path(path)) throw Error(Code::kCorrupt, "a path leads out of the tree: " + printable(path));
  return path;
}

std::uint32_t count(Reader& from, std::uint32_t limit = kMaxItems) {
  const auto number = from.u32();
  if (number > limit) throw Error(Code::kCorrupt, "a count is beyond its limit");
  return number;
}

template <typename T>
T choice(Reader& from, T last) {
  const auto value = from.u8();
  if (value > static_cast<std::uint8_t>(last)) throw Error(Code::kCorrupt, "an unknown choice");
  return static_cast<T>(value);
}

void encode(Writer& to, const Where& where) { to.u32(where.segment).u32(where.entry); }

Where decode_where(Reader& from) {
  Where where;
  where.segment = from.u32();
  where.entry = from.u32();
  return where;
}

void check_version(Reader& from) {
  if (const auto version = from.u32(); version != kProtocol) {
    throw Error(Code::kUnsupported,
                fmt::format("the peer speaks version {} of the volume protocol, we speak {}", version, kProtocol));
  }
}

std::string cut(std::string_view text) { return std::string(text.substr(0, kMaxMessage)); }

/// How many of `list` fit into their share of a message: paths may be long.
template <typename T>
std::uint32_t fitting(const std::vector<T>& list) {
  std::size_t room = kMaxFrame / 8;
  std::uint32_t many = 0;
  for (const auto& each : list) {
    const auto size = each.path.size() + std::min(each.what.size(), kMaxMessage) + 16;
    if (size > room) break;
    room -= size;
    ++many;
  }
  return many;
}

void encode(Writer& to, const std::vector<Problem>& problems) {
  const auto many = fitting(problems);
  to.u32(many);
  for (std::uint32_t i = 0; i < many; ++i) to.text(problems[i].path).text(cut(problems[i].what));
}

std::vector<Problem> decode_problems(Reader& from) {
  std::vector<Problem> problems;
  for (auto left = count(from, Report::kListed); left > 0; --left) {
    std::string path(from.text(kMaxPath));
    problems.push_back({std::move(path), std::string(from.text(kMaxMessage))});
  }
  return problems;
}

}  // namespace

std::string encode(const Hello& hello) {
  Writer to;
  to.raw(kMagic).u32(kProtocol).raw(hello.session).u32(hello.lane).u32(hello.lanes).u8(hello.again ? 1 : 0);
  to.u8(hello.wishes.remove_extras ? 1 : 0).u8(hello.wishes.by_hash ? 1 : 0).u8(hello.wishes.verify ? 1 : 0);
  to.u8(hello.wishes.lenient ? 1 : 0).u64(hello.device);
  return to.bytes();
}

std::string encode(const Welcome& welcome) { return Writer().u32(kProtocol).u8(welcome.verify ? 1 : 0).bytes(); }

Welcome decode_welcome(std::string_view bytes) {
  Reader from(bytes);
  check_version(from);
  Welcome welcome;
  welcome.verify = from.u8() != 0;
  from.end();
  return welcome;
}

Hello decode_hello(std::string_view bytes) {
  Reader from(bytes);
  if (from.raw(kMagic.size()) != kMagic) throw Error(Code::kCorrupt, "the peer does not send volumes");
  check_version(from);
  Hello hello;
  hello.session = from.raw(16);
  hello.lane = from.u32();
  hello.lanes = from.u32();
  if (hello.lanes == 0 || hello.lanes > kMaxLanes || hello.lane >= hello.lanes) {
    throw Error(Code::kCorrupt, "an impossible number of lanes");
  }
  hello.again = from.u8() != 0;
  hello.wishes.remove_extras = from.u8() != 0;
  hello.wishes.by_hash = from.u8() != 0;
  hello.wishes.verify = from.u8() != 0;
  hello.wishes.lenient = from.u8() != 0;
  hello.device = from.u64();
  if (hello.device > INT64_MAX) throw Error(Code::kCorrupt, "an impossible size of a device");
  from.end();
  return hello;
}

std::string encode(const Batch& batch, const std::vector<std::vector<bool>>& links) {
  Writer to;
  to.u64(batch.number).u32(static_cast<std::uint32_t>(batch.segments.size()));
  for (std::size_t s = 0; s < batch.segments.size(); ++s) {
    const auto& segment = batch.segments[s];
    to.text(segment.path).text(segment.after).u8(segment.last ? 1 : 0);
    to.u32(static_cast<std::uint32_t>(segment.found.size()));
    for (std::size_t e = 0; e < segment.found.size(); ++e) {
      to.u8(links[s][e] ? 1 : 0);
      encode(to, segment.found[e].entry);
    }
  }
  return to.bytes();
}

Listed decode_list(std::string_view bytes) {
  Reader from(bytes);
  Listed listed;
  listed.batch.number = from.u64();
  for (auto left = count(from); left > 0; --left) {
    Segment segment;
    segment.path = safe_path(from);
    segment.after = from.text(kMaxName);
    segment.last = from.u8() != 0;
    std::vector<bool> links;
    for (auto names = count(from); names > 0; --names) {
      links.push_back(from.u8() != 0);
      Seen seen;
      seen.entry = decode_entry(from);
      if (seen.entry.name <= (segment.found.empty() ? segment.after : segment.found.back().entry.name)) {
        throw Error(Code::kCorrupt, "names are out of order");
      }
      segment.found.push_back(std::move(seen));
    }
    listed.batch.segments.push_back(std::move(segment));
    listed.links.push_back(std::move(links));
  }
  from.end();
  return listed;
}

std::string encode_want(std::uint64_t batch, const std::vector<Wanted>& wanted) {
  Writer to;
  to.u64(batch).u32(static_cast<std::uint32_t>(wanted.size()));
  for (const auto& each : wanted) {
    encode(to, each.where);
    to.u8(static_cast<std::uint8_t>(each.basis)).text(each.hash);
  }
  return to.bytes();
}

Wants decode_want(std::string_view bytes) {
  Reader from(bytes);
  Wants wants;
  wants.batch = from.u64();
  for (auto left = count(from); left > 0; --left) {
    Wanted wanted;
    wanted.where = decode_where(from);
    wanted.basis = choice(from, Basis::kChunks);
    wanted.hash = from.text(16);
    wants.wanted.push_back(std::move(wanted));
  }
  from.end();
  return wants;
}

void encode(Writer& to, const FileHead& head) {
  encode(to, head.where);
  to.u8(static_cast<std::uint8_t>(head.content));
  encode(to, head.entry);
}

FileHead decode_file_head(Reader& from) {
  FileHead head;
  head.where = decode_where(from);
  head.content = choice(from, Content::kGone);
  head.entry = decode_entry(from);
  return head;
}

std::string encode(const std::vector<Link>& links) {
  Writer to;
  to.u32(static_cast<std::uint32_t>(links.size()));
  for (const auto& link : links) to.text(link.path).text(link.first);
  return to.bytes();
}

std::vector<Link> decode_links(std::string_view bytes) {
  Reader from(bytes);
  std::vector<Link> links;
  for (auto left = count(from); left > 0; --left) {
    Link link;
    link.path = safe_path(from);
    link.first = safe_path(from);
    if (link.path.empty() || link.first.empty()) throw Error(Code::kCorrupt, "a hard link without a name");
    links.push_back(std::move(link));
  }
  from.end();
  return links;
}

std::string encode(const Report& report) {
  Writer to;
  to.u64(report.entries).u64(report.files).u64(report.bytes).u64(report.skipped).u64(report.deleted);
  to.u64(report.failed).u64(report.changed_count).u64(report.vanished_count);
  to.u64(report.differing).u64(report.excused);
  for (const auto* list : {&report.changed, &report.vanished, &report.failures}) encode(to, *list);
  const auto losses = fitting(report.losses);
  to.u32(losses);
  for (std::uint32_t i = 0; i < losses; ++i) {
    to.text(cut(report.losses[i].what)).u64(report.losses[i].count).text(report.losses[i].path);
  }
  const auto differences = fitting(report.differences);
  to.u32(differences);
  for (std::uint32_t i = 0; i < differences; ++i) {
    to.text(report.differences[i].path).text(report.differences[i].what);
  }
  to.u8(report.verified ? 1 : 0).text(report.source_root).text(report.destination_root);
  to.u64(report.device).u64(report.beyond);
  return to.bytes();
}

Report decode_report(std::string_view bytes) {
  Reader from(bytes);
  Report report;
  for (auto* number : {&report.entries, &report.files, &report.bytes, &report.skipped, &report.deleted, &report.failed,
                       &report.changed_count, &report.vanished_count, &report.differing, &report.excused}) {
    *number = from.u64();
  }
  for (auto* list : {&report.changed, &report.vanished, &report.failures}) *list = decode_problems(from);
  for (auto left = count(from, Report::kListed); left > 0; --left) {
    Loss loss;
    loss.what = from.text(kMaxMessage);
    loss.count = from.u64();
    loss.path = from.text(kMaxPath);
    report.losses.push_back(std::move(loss));
  }
  for (auto left = count(from, Report::kListed); left > 0; --left) {
    std::string path(from.text(kMaxPath));
    report.differences.push_back({std::move(path), std::string(from.text(kMaxMessage))});
  }
  report.verified = from.u8() != 0;
  report.source_root = from.text(32);
  report.destination_root = from.text(32);
  report.device = from.u64();
  report.beyond = from.u64();
  from.end();
  return report;
}

std::string encode(const Finish& finish) {
  Writer to;
  encode(to, finish.root);
  to.u8(finish.verify ? 1 : 0).raw(encode(finish.report));
  return to.bytes();
}

Finish decode_finish(std::string_view bytes) {
  Reader from(bytes);
  Finish finish;
  finish.root = decode_entry(from);
  if (!finish.root.name.empty()) throw Error(Code::kCorrupt, "the root of the tree has a name");
  finish.verify = from.u8() != 0;
  finish.report = decode_report(from.raw(from.left()));
  return finish;
}

std::string encode(const Extent& extent) { return Writer().u64(extent.offset).u64(extent.size).bytes(); }

Extent decode_extent(std::string_view bytes, std::uint64_t device) {
  Reader from(bytes);
  Extent extent;
  extent.offset = from.u64();
  extent.size = from.u64();
  from.end();
  if (extent.offset % kExtentSize != 0 || extent.offset >= device ||
      extent.size != std::min(kExtentSize, device - extent.offset)) {
    throw Error(Code::kCorrupt, "a part of a device that it does not have");
  }
  return extent;
}

std::string encode(const DeviceEnd& end) { return Writer().u8(end.verify ? 1 : 0).raw(encode(end.report)).bytes(); }

DeviceEnd decode_device_end(std::string_view bytes) {
  Reader from(bytes);
  DeviceEnd end;
  end.verify = from.u8() != 0;
  end.report = decode_report(from.raw(from.left()));
  return end;
}

std::string encode_failure(Code code, std::string_view message) {
  return Writer().u8(static_cast<std::uint8_t>(code)).text(cut(message)).bytes();
}

void throw_failure(std::string_view bytes, std::string_view whose) {
  Reader from(bytes);
  const auto code = choice(from, Code::kInternal);
  Error failure(code, printable(from.text(kMaxMessage)));
  failure.with_context(whose);
  throw failure;
}

std::string quick_hash(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  return {reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest};
}

}  // namespace mtc::volume
