#include "restic/index_file.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "json/json.hpp"

namespace mtc::restic {
namespace {

[[noreturn]] void corrupt(std::string_view what) {
  throw Error(Code::kCorrupt, fmt::format("it is no index: {}", what));
}

/// Reads an index without building it as a Json first, which takes ten times its size and most of the time.
/// Members that are not known are read over.
class IndexReader : public nlohmann::json_sax<Json> {
 public:
  IndexFile take() {
    if (!has_packs_) corrupt("it names no packs");
    return std::move(file_);
  }

  bool null() override { return scalar(); }
  bool boolean(bool) override { return scalar(); }
  bool number_float(double, const std::string&) override { return scalar(); }
  bool binary(Json::binary_t&) override { return scalar(); }
  bool number_integer(std::int64_t) override { return scalar(); }  // Only negative numbers come here.
  bool number_unsigned(std::uint64_t value) override {
    if (depth_ != kInBlob || skipping()) return true;
    if (key_ == "offset") number(blob_.offset, value);
    if (key_ == "length") number(blob_.length, value);
    if (key_ == "uncompressed_length") number(blob_.plain_size, value);
    return true;
  }
  bool string(std::string& value) override {
    if (skipping()) return true;
    if (depth_ == kInList && list_ == List::kSupersedes) file_.supersedes.push_back(id_of(value));
    if (depth_ == kInPack && key_ == "id") pack_id(value);
    if (depth_ == kInBlob && key_ == "id") blob_.id = id_of(value), has_id_ = true;
    if (depth_ == kInBlob && key_ == "type") type(value);
    return true;
  }
  bool key(std::string& value) override {
    key_ = value;
    return true;
  }

  bool start_object(std::size_t) override {
    enter(depth_ == 0 || (depth_ == kInList && list_ == List::kPacks) || depth_ == kInPack + 1);
    if (skipping()) return true;
    if (depth_ == kInPack) file_.packs.emplace_back(), has_pack_id_ = false;
    if (depth_ == kInBlob) blob_ = {}, has_id_ = has_type_ = false;
    return true;
  }
  bool end_object() override {
    if (!skipping() && depth_ == kInBlob) end_blob();
    if (!skipping() && depth_ == kInPack && !has_pack_id_) corrupt("a pack has no id");
    if (!skipping() && depth_ == kInPack) has_pack_id_ = false;
    leave();
    return true;
  }
  bool start_array(std::size_t) override {
    const bool top = depth_ == 1 && (key_ == "packs" || key_ == "supersedes");
    if (top && !skipping()) {
      list_ = key_ == "packs" ? List::kPacks : List::kSupersedes;
      has_packs_ = has_packs_ || list_ == List::kPacks;
    }
    if (depth_ == 0) corrupt("it has the format of before 2015");
    enter(top || (depth_ == kInPack && key_ == "blobs"));
    return true;
  }
  bool end_array() override {
    leave();
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    corrupt(fmt::format("its JSON is broken at byte {}", position));
  }

 private:
  // {"packs": [ { "blobs": [ { … } ] } ]}
  static constexpr int kInList = 2;
  static constexpr int kInPack = 3;
  static constexpr int kInBlob = 5;
  enum class List { kPacks, kSupersedes };

  bool scalar() { return true; }
  bool skipping() const { return skipped_ > 0; }
  void enter(bool known) {
    if (skipping() || !known) {
      if (++skipped_ > 64) corrupt("it is nested too deeply");
    } else {
      ++depth_;
    }
  }
  void leave() { --(skipping() ? skipped_ : depth_); }

  static Id id_of(const std::string& text) {
    const auto id = Id::parse(text);
    if (!id) corrupt("an id is not 64 hex digits");
    return *id;
  }
  static void number(std::uint32_t& into, std::uint64_t value) {
    if (value > std::numeric_limits<std::uint32_t>::max()) corrupt("a size is beyond what a pack can hold");
    into = static_cast<std::uint32_t>(value);
  }
  void pack_id(const std::string& value) {
    file_.packs.back().id = id_of(value);
    has_pack_id_ = true;
  }
  void type(const std::string& value) {
    if (value != "data" && value != "tree") corrupt("a blob has an unknown type");
    blob_.type = value == "data" ? BlobType::kData : BlobType::kTree;
    has_type_ = true;
  }
  void end_blob() {
    if (!has_id_ || !has_type_) corrupt("a blob has no id or no type");
    blob_.compressed = blob_.plain_size != 0;
    if (!blob_.compressed && blob_.length >= kSealOverhead) {
      blob_.plain_size = blob_.length - static_cast<std::uint32_t>(kSealOverhead);
    }
    check_sizes(blob_);
    if (std::uint64_t{blob_.offset} + blob_.length > std::numeric_limits<std::uint32_t>::max()) {
      corrupt("a blob lies beyond what a pack can hold");
    }
    file_.packs.back().blobs.push_back(blob_);
  }

  IndexFile file_;
  PackedBlob blob_;
  std::string key_;
  List list_ = List::kPacks;
  int depth_ = 0;    ///< in what is known
  int skipped_ = 0;  ///< and how deep in something unknown
  bool has_packs_ = false;
  bool has_pack_id_ = false;
  bool has_id_ = false;
  bool has_type_ = false;
};

}  // namespace

std::string encode_index(const IndexFile& file) {
  std::string text = "{";
  const auto out = std::back_inserter(text);
  const char* separator = R"("supersedes":[)";
  for (const auto& id : file.supersedes) {
    fmt::format_to(out, R"({}"{}")", std::exchange(separator, ","), id.hex());
  }
  text += file.supersedes.empty() ? R"("packs":[)" : R"(],"packs":[)";
  separator = "";
  for (const auto& pack : file.packs) {
    fmt::format_to(out, R"({}{{"id":"{}","blobs":[)", std::exchange(separator, ","), pack.id.hex());
    const char* comma = "";
    for (const auto& blob : pack.blobs) {
      fmt::format_to(out, R"({}{{"id":"{}","type":"{}","offset":{},"length":{})", std::exchange(comma, ","),
                     blob.id.hex(), to_string(blob.type), blob.offset, blob.length);
      if (blob.compressed) fmt::format_to(out, R"(,"uncompressed_length":{})", blob.plain_size);
      text += '}';
    }
    text += "]}";
  }
  text += "]}";
  return text;
}

IndexFile decode_index(std::string_view text) {
  IndexReader reader;
  Json::sax_parse(text.begin(), text.end(), &reader);
  return reader.take();
}

Task<IndexFile> load_index_file(Files& files, Id id) {
  const auto text = co_await files.load_document(FileType::kIndex, id);
  std::optional<Error> failure;
  try {
    co_return co_await async::offload([&] { return decode_index(text); });
  } catch (const Error& error) {
    failure = error;
  }
  throw failure->with_context("read " + files.name_of(FileType::kIndex, id));
}

Task<PackSizes> pack_sizes(Files& files) {
  PackSizes sizes;
  for (const auto& pack : co_await files.list(FileType::kPack)) sizes.emplace(pack.id, pack.size);
  co_return sizes;
}

bool is_whole(const Id& pack, const std::vector<PackedBlob>& blobs, const PackSizes& stored) {
  const auto found = stored.find(pack);
  return found != stored.end() && std::ranges::all_of(blobs, [&](const PackedBlob& blob) {
           return std::uint64_t{blob.offset} + blob.length <= found->second;
         });
}

}  // namespace mtc::restic
