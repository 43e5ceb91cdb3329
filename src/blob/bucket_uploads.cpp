#include "blob/bucket_uploads.hpp"

#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "blob/bucket_answer.hpp"
#include "blob/s3_xml.hpp"

namespace mtc::blob {
namespace {

constexpr std::size_t kMostUploads = 1000;
constexpr int kMostParts = 10'000;
constexpr std::uint64_t kSmallestPart = 5 * 1024 * 1024;  ///< but for the last

int part_number(std::string_view text) {
  int number = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end || number < 1 || number > kMostParts) {
    throw Refusal(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  return number;
}

/// The parts of a CompleteMultipartUpload, in order.
std::vector<ObjectInfo> chosen_parts(const std::string& document, const std::map<int, ObjectInfo>& parts) {
  pugi::xml_document xml;
  const auto parsed = xml.load_buffer(document.data(), document.size());
  const auto root = xml.child("CompleteMultipartUpload");
  if (!parsed || !root.child("Part")) {
    throw Refusal(400, "MalformedXML", "The XML you provided was not well-formed or did not validate");
  }
  std::vector<ObjectInfo> chosen;
  int last = 0;
  for (const auto& node : root.children("Part")) {
    const auto number = part_number(node.child_value("PartNumber"));
    if (number <= last) throw Refusal(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
    last = number;
    const auto at = parts.find(number);
    if (at == parts.end() || at->second.etag != unquoted(node.child_value("ETag"))) {
      throw Refusal(400, "InvalidPart", fmt::format("Part {} could not be found, or its ETag did not match.", number));
    }
    if (!chosen.empty() && chosen.back().size < kSmallestPart) {
      throw Refusal(400, "EntityTooSmall", "A part but the last is smaller than the minimum allowed size");
    }
    chosen.push_back(at->second);
  }
  return chosen;
}

Task<void> append(Store* from, std::string key, Writer* to) {
  const auto reader = co_await from->open(key);
  if (!reader) throw Refusal(500, "InternalError", "A part was lost.");
  for (auto piece = co_await reader->read(); !piece.empty(); piece = co_await reader->read()) co_await to->write(piece);
}

}  // namespace

Task<ObjectInfo> store_body(Store* store, std::string key, UploadBody* body) {
  const auto writer = co_await store->create(std::move(key));
  for (auto piece = co_await body->read(); !piece.empty(); piece = co_await body->read()) {
    co_await writer->write(piece);
  }
  co_return co_await writer->commit();
}

Uploads::Upload& Uploads::find(const std::string& id, const std::string& bucket, const std::string& key) {
  const auto at = uploads_.find(id);
  if (at == uploads_.end() || at->second.bucket != bucket || at->second.key != key) {
    throw Refusal(404, "NoSuchUpload",
                  "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
                  "aborted or completed.");
  }
  return at->second;
}

std::string Uploads::begin(std::string bucket, std::string key) {
  if (uploads_.size() == kMostUploads) throw Refusal(503, "SlowDown", "Too many uploads are unfinished.");
  auto id = uuid4(rng_);
  uploads_[id] = {std::move(bucket), std::move(key), {}};
  return id;
}

Task<ObjectInfo> Uploads::put_part(std::string id, std::string bucket, std::string key, std::string number,
                                   UploadBody* body) {
  find(id, bucket, key);
  const auto part = part_number(number);
  auto info = co_await store_body(parts_.get(), fmt::format("{}/{}", id, part), body);
  // The upload may have ended while its part arrived.
  const bool ended = !uploads_.contains(id);
  if (ended) co_await parts_->remove(info.key);
  find(id, bucket, key).parts[part] = info;
  co_return info;
}

Task<ObjectInfo> Uploads::complete(std::string id, std::string bucket, std::string key, std::string document,
                                   Store* into) {
  const auto chosen = chosen_parts(document, find(id, bucket, key).parts);
  const auto writer = co_await into->create(key);
  for (const auto& part : chosen) co_await append(parts_.get(), part.key, writer.get());
  auto info = co_await writer->commit();
  uploads_.erase(id);
  co_await remove_prefix(*parts_, id + "/");
  co_return info;
}

Task<void> Uploads::abort(std::string id, std::string bucket, std::string key) {
  find(id, bucket, key);
  uploads_.erase(id);
  co_await remove_prefix(*parts_, id + "/");
}

}  // namespace mtc::blob
