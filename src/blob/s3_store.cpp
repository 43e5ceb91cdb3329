#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "blob/http_date.hpp"
#include "blob/key.hpp"
#include "blob/s3.hpp"
#include "blob/s3_bucket.hpp"
#include "blob/s3_upload.hpp"
#include "blob/s3_xml.hpp"

namespace mtc::blob {
namespace {

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Of the whole object, also if the answer carries a range of it.
ObjectInfo info_of(std::string key, const http::Headers& headers) {
  ObjectInfo info;
  info.key = std::move(key);
  const auto range = headers.get("Content-Range");
  const auto slash = range.find('/');
  info.size = number(slash == std::string_view::npos ? headers.get("Content-Length") : range.substr(slash + 1));
  info.etag = unquoted(headers.get("ETag"));
  if (const auto modified = parse_http_date(headers.get("Last-Modified"))) info.modified = *modified;
  return info;
}

Bucket::Call get(const std::string& key, const Range& range) {
  Bucket::Call call{.doing = "read " + key, .method = "GET", .key = key};
  if (range.offset == 0 && !range.length) return call;
  const auto last = range.length ? std::to_string(range.offset + *range.length - 1) : "";
  call.headers.set("Range", fmt::format("bytes={}-{}", range.offset, last));
  return call;
}

class EmptyReader final : public Reader {
 public:
  explicit EmptyReader(ObjectInfo info) : info_(std::move(info)) {}
  Task<std::string_view> read() override { co_return std::string_view{}; }
  const ObjectInfo& info() const override { return info_; }

 private:
  ObjectInfo info_;
};

/// Reads on where it was when the connection breaks, as long as the object stays the same.
class S3Reader final : public Reader {
 public:
  S3Reader(std::shared_ptr<Bucket> bucket, http::ResponseStreamPtr stream, std::string key, Range range)
      : bucket_(std::move(bucket)),
        stream_(std::move(stream)),
        info_(info_of(std::move(key), stream_->head().headers)),
        at_(range.offset),
        end_(std::min(info_.size, range.length ? range.offset + *range.length : info_.size)) {}

  Task<std::string_view> read() override {
    for (;;) {
      std::optional<Error> failure;
      try {
        const auto piece = co_await stream_->read(bucket_->options().request_limit);
        at_ += piece.size();
        if (!piece.empty()) breaks_ = 0;
        co_return piece;
      } catch (const Error& error) {
        failure = error;
      }
      if (!failure->transient() || info_.etag.empty() || ++breaks_ >= bucket_->backoff().max_attempts || at_ >= end_) {
        throw failure->with_context(fmt::format("read {} in {}", info_.key, bucket_->describe()));
      }
      co_await reopen();
    }
  }
  const ObjectInfo& info() const override { return info_; }

 private:
  Task<void> reopen() {
    stream_.reset();
    co_await async::sleep_for(bucket_->backoff().delay(breaks_, bucket_->rng()));
    auto call = get(info_.key, {at_, end_ - at_});
    call.headers.set("If-Match", '"' + info_.etag + '"');
    stream_ = co_await bucket_->open(std::move(call));
    if (!stream_ || stream_->head().status != 206) {
      throw Error(Code::kUnavailable,
                  fmt::format("{} in {} changed while it was read", info_.key, bucket_->describe()));
    }
  }

  std::shared_ptr<Bucket> bucket_;
  http::ResponseStreamPtr stream_;
  ObjectInfo info_;
  std::uint64_t at_, end_;
  unsigned breaks_ = 0;  ///< since the last byte that arrived
};

class S3Store final : public Store {
 public:
  explicit S3Store(S3Options options) : bucket_(std::make_shared<Bucket>(std::move(options))) {}

  Task<std::optional<ObjectInfo>> head(std::string key) override {
    check_key(key);
    const auto response = co_await bucket_->call({.doing = "look up " + key, .method = "HEAD", .key = key}, {404});
    if (response.status != 404) co_return info_of(key, response.headers);
    co_await bucket_->demand_bucket();
    co_return std::nullopt;
  }

  Task<std::unique_ptr<Reader>> open(std::string key, Range range) override {
    check_key(key);
    if (range.length == 0) co_return co_await open_nothing(std::move(key), range);
    std::optional<Error> failure;
    http::ResponseStreamPtr stream;
    try {
      stream = co_await bucket_->open(get(key, range));
    } catch (const Error& error) {
      failure = error;
    }
    // An empty object has no byte that a range could name.
    if (failure && failure->http_status() == 416) co_return co_await open_nothing(std::move(key), range);
    if (failure) throw *failure;
    if (!stream) co_return nullptr;
    if (range.offset > 0 && stream->head().status != 206) {
      throw Error(Code::kUnsupported, fmt::format("{} sends whole objects where a part is asked", describe()));
    }
    co_return std::make_unique<S3Reader>(bucket_, std::move(stream), std::move(key), range);
  }

  Task<ObjectInfo> put(std::string key, std::string bytes) override {
    check_key(key);
    const auto size = bytes.size();
    const auto response = co_await bucket_->call({.doing = "write " + key,
                                                  .method = "PUT",
                                                  .key = key,
                                                  .body = std::make_shared<const std::string>(std::move(bytes))});
    co_return ObjectInfo{key, size, unquoted(response.headers.get("ETag")), {}};
  }

  Task<std::unique_ptr<Writer>> create(std::string key) override {
    check_key(key);
    co_await bucket_->abort_abandoned();
    co_return make_s3_upload(bucket_, std::move(key));
  }

  Task<ListPage> list(std::string prefix, std::string delimiter, std::string next) override {
    http::Query query = {{"list-type", "2"}, {"encoding-type", "url"}};
    if (!prefix.empty()) query.emplace_back("prefix", prefix);
    if (!delimiter.empty()) query.emplace_back("delimiter", std::move(delimiter));
    if (!next.empty()) query.emplace_back("continuation-token", std::move(next));
    const auto response = co_await bucket_->call(
        {.doing = prefix.empty() ? "list objects" : "list " + prefix, .method = "GET", .key = "", .query = query});
    co_return parse_listing(response.body, describe());
  }

  Task<void> remove(std::string key) override {
    check_key(key);
    const auto response = co_await bucket_->call({.doing = "remove " + key, .method = "DELETE", .key = key}, {404});
    if (response.status == 404) co_await bucket_->demand_bucket();
  }

  std::string describe() const override { return bucket_->describe(); }

 private:
  Task<std::unique_ptr<Reader>> open_nothing(std::string key, Range range) {
    auto info = co_await head(key);
    if (!info) co_return nullptr;
    check_range(key, range, info->size);
    co_return std::make_unique<EmptyReader>(std::move(*info));
  }

  std::shared_ptr<Bucket> bucket_;
};

}  // namespace

StorePtr make_s3_store(S3Options options) { return std::make_shared<S3Store>(std::move(options)); }

}  // namespace mtc::blob
