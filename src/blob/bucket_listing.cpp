#include "blob/bucket_listing.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "blob/bucket_answer.hpp"

namespace mtc::blob {
namespace {

constexpr std::size_t kMostKeys = 1000;

/// Where a listing goes on: in which page of the store, and after which name of it. Pages of the client and of the
/// store differ, because the client chooses how long its own are.
struct Position {
  std::string page;
  std::string after;

  std::string token() const { return base64url_encode(page + '\0' + after); }
  static Position parse(std::string_view token) {
    const auto text = base64url_decode(token);
    const auto zero = text ? text->find('\0') : std::string::npos;
    if (zero == std::string::npos)
      throw Refusal(400, "InvalidArgument", "The continuation token provided is incorrect");
    return {text->substr(0, zero), text->substr(zero + 1)};
  }
};

struct Query {
  bool v2;
  std::string prefix, delimiter, start_after;
  std::size_t max_keys = kMostKeys;
  bool url_encoded;
  Position from;
};

Query read_query(const http::ServerRequest& request) {
  Query query;
  query.v2 = request.param("list-type") == "2";
  query.prefix = request.param("prefix");
  query.delimiter = request.param("delimiter");
  query.start_after = request.param(query.v2 ? "start-after" : "marker");
  query.url_encoded = request.param("encoding-type") == "url";
  if (const auto token = request.param("continuation-token"); query.v2 && !token.empty()) {
    query.from = Position::parse(token);
  }
  query.from.after = std::max(query.from.after, query.start_after);
  if (const auto text = request.param("max-keys"); !text.empty()) {
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, query.max_keys);
    if (read.ec != std::errc{} || read.ptr != end) {
      throw Refusal(400, "InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647");
    }
    query.max_keys = std::min(query.max_keys, kMostKeys);
  }
  return query;
}

/// An object or a common prefix, in the one order that both have.
struct Named {
  std::string name;
  std::optional<ObjectInfo> object;
};

std::vector<Named> merged(ListPage page) {
  std::vector<Named> all;
  for (auto& prefix : page.prefixes) all.push_back({std::move(prefix), std::nullopt});
  for (auto& object : page.objects) {
    auto name = object.key;
    all.push_back({std::move(name), std::move(object)});
  }
  std::ranges::sort(all, {}, &Named::name);
  return all;
}

struct Found {
  std::vector<Named> names;
  std::optional<Position> next;
};

Task<Found> find(Store* store, Query query) {
  Found found;
  if (query.max_keys == 0) co_return found;
  auto at = query.from;
  for (;;) {
    auto page = co_await store->list(query.prefix, query.delimiter, at.page);
    const auto next = page.next;
    for (auto& named : merged(std::move(page))) {
      if (named.name <= at.after) continue;
      if (found.names.size() == query.max_keys) {
        found.next = Position{at.page, found.names.back().name};
        co_return found;
      }
      found.names.push_back(std::move(named));
    }
    if (next.empty()) co_return found;
    if (!found.names.empty()) at.after = found.names.back().name;
    at.page = next;
  }
}

std::string contents(const ObjectInfo& object, std::string_view key) {
  return fmt::format("<Contents>{}{}{}{}<StorageClass>STANDARD</StorageClass></Contents>", element("Key", key),
                     element("LastModified", rfc3339(object.modified)), element("ETag", '"' + object.etag + '"'),
                     element("Size", std::to_string(object.size)));
}

}  // namespace

Task<http::Response> answer_listing(Store* store, std::string bucket, const http::ServerRequest* request) {
  const auto query = read_query(*request);
  const auto found = co_await find(store, query);
  const auto shown = [&](const std::string& name) {
    return query.url_encoded ? percent_encode(name, KeepSlash::kYes) : name;
  };
  std::string body = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  body += element("Name", bucket) + element("Prefix", shown(query.prefix));
  if (!query.delimiter.empty()) body += element("Delimiter", shown(query.delimiter));
  if (query.url_encoded) body += element("EncodingType", "url");
  body += element("MaxKeys", std::to_string(query.max_keys));
  body += element("IsTruncated", found.next ? "true" : "false");
  if (query.v2) body += element("KeyCount", std::to_string(found.names.size()));
  if (!query.start_after.empty()) body += element(query.v2 ? "StartAfter" : "Marker", shown(query.start_after));
  if (found.next && query.v2) body += element("NextContinuationToken", found.next->token());
  if (found.next && !query.v2) body += element("NextMarker", shown(found.next->after));
  for (const auto& [name, object] : found.names) {
    body += object ? contents(*object, shown(name))
                   : fmt::format("<CommonPrefixes>{}</CommonPrefixes>", element("Prefix", shown(name)));
  }
  co_return xml_answer(200, body + "</ListBucketResult>");
}

}  // namespace mtc::blob
