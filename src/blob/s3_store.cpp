#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "async/retry.hpp"
#include "async/scope.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "blob/key.hpp"
#include "blob/s3.hpp"
#include "blob/s3_error.hpp"
#include "blob/sigv4.hpp"
#include "http/client.hpp"

namespace mtc::blob {
namespace {

constexpr std::size_t kMaxAnswer = 16 * 1024 * 1024;

/// An HTTP conversation with one bucket: addresses, signs, sends, retries, reads errors.
class Bucket {
 public:
  explicit Bucket(S3Options options)
      : options_(std::move(options)),
        clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
        http_(client_options(options_)),
        slots_(options_.concurrent_requests) {}

  std::string describe() const {
    return fmt::format("bucket {} at {}", options_.bucket,
                       options_.endpoint.empty() ? "AWS " + options_.region : options_.endpoint);
  }

  struct Call {
    std::string method;
    std::string key;
    http::Query query;
    http::Headers headers;
    std::string body;
  };

  /// Sends until it succeeds or fails for good; 2xx and the statuses in `fine` come back, anything else is thrown.
  Task<http::Response> call(Call call, std::vector<int> fine = {}) {
    co_return co_await async::retry<http::Response>(backoff(), [this, call, fine] { return attempt(call, fine); });
  }

  /// A GET that is read piece by piece; nullptr for 404 NoSuchKey.
  Task<http::ResponseStreamPtr> open(Call call) {
    co_return co_await async::retry<http::ResponseStreamPtr>(backoff(), [this, call] { return open_once(call); });
  }

  const S3Options& options() const { return options_; }

 private:
  static http::ClientOptions client_options(const S3Options& options) {
    if (options.bucket.empty()) throw Error(Code::kInvalid, "the bucket has no name");
    http::ClientOptions http;
    const auto endpoint =
        options.endpoint.empty() ? fmt::format("https://s3.{}.amazonaws.com", options.region) : options.endpoint;
    http.origin = http::Url::parse(endpoint);
    if (options.style == AddressingStyle::kVirtualHost) http.origin.host = options.bucket + "." + http.origin.host;
    http.origin.path.clear();
    if (http.origin.scheme == "https") {
      net::TlsClientOptions tls;
      tls.ca_pem = options.ca_pem;
      tls.verify = options.insecure ? net::Verify::kNo : net::Verify::kYes;
      http.tls = std::make_shared<net::TlsClient>(std::move(tls));
    }
    http.connector = options.connector ? options.connector
                                       : net::proxy_connector(net::proxy_from_environment(), net::tcp_connector());
    http.max_connections = options.concurrent_requests;
    http.response_limit = options.request_limit;
    http.body_stall_limit = options.request_limit;
    http.max_body_bytes = kMaxAnswer;
    return http;
  }

  async::Backoff backoff() const {
    return {
        .base = std::chrono::milliseconds(200), .cap = std::chrono::seconds(5), .max_attempts = options_.max_attempts};
  }

  http::Request request_of(const Call& call) const {
    const auto root = options_.style == AddressingStyle::kPath ? "/" + percent_encode(options_.bucket) : std::string();
    const auto path =
        call.key.empty() ? (root.empty() ? "/" : root) : root + "/" + percent_encode(call.key, KeepSlash::kYes);
    http::Request request;
    request.method = call.method;
    request.target = path + (call.query.empty() ? "" : "?" + http::encode_query(call.query));
    request.headers = call.headers;
    request.headers.set("Host", http_.options().origin.authority());
    request.body = call.body;
    const SigningKey key{options_.access_key_id, options_.secret_access_key, options_.region};
    sign(request.headers, call.method, path, call.query, hex(sha256(call.body)), key, clock_.now());
    return request;
  }

  std::string doing(const Call& call) const {
    return fmt::format("{} {}{}{}", call.method, call.key.empty() ? "" : call.key + " in ", "", describe());
  }

  Task<http::Response> attempt(Call call, std::vector<int> fine) {
    std::optional<Error> failure;
    http::Response response;
    try {
      response = co_await http_.send(request_of(call));
    } catch (const Error& error) {
      failure = error;
    }
    if (failure) throw failure->with_context(doing(call));
    if (response.status / 100 != 2 && std::ranges::find(fine, response.status) == fine.end())
      throw s3_error(response, doing(call));
    co_return response;
  }

  Task<http::ResponseStreamPtr> open_once(Call call) {
    std::optional<Error> failure;
    http::ResponseStreamPtr stream;
    try {
      stream = co_await http_.open(request_of(call));
    } catch (const Error& error) {
      failure = error;
    }
    if (failure) throw failure->with_context(doing(call));
    if (stream->head().status / 100 == 2) co_return stream;
    http::Response refusal{stream->head().status, stream->head().reason, stream->head().headers, ""};
    for (auto piece = co_await stream->read(options_.request_limit); !piece.empty() && refusal.body.size() < kMaxAnswer;
         piece = co_await stream->read(options_.request_limit)) {
      refusal.body += piece;
    }
    if (refusal.status == 404 && s3_code(refusal.body) != "NoSuchBucket") co_return nullptr;
    throw s3_error(refusal, doing(call));
  }

  S3Options options_;
  const Clock& clock_;
  http::Client http_;
  async::Semaphore slots_;
};

std::string unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

ObjectInfo info_of(const std::string& key, const http::Headers& headers) {
  ObjectInfo info;
  info.key = key;
  info.size = std::strtoull(std::string(headers.get("Content-Length")).c_str(), nullptr, 10);
  info.etag = unquoted(headers.get("ETag"));
  return info;
}

class S3Reader final : public Reader {
 public:
  S3Reader(http::ResponseStreamPtr stream, std::string key, Duration stall)
      : stream_(std::move(stream)), info_(info_of(key, stream_->head().headers)), stall_(stall) {}
  Task<std::string_view> read() override { return stream_->read(stall_); }
  const ObjectInfo& info() const override { return info_; }

 private:
  http::ResponseStreamPtr stream_;
  ObjectInfo info_;
  Duration stall_;
};

/// Collects parts; an object that fits into one is put at once, a longer one becomes a multipart upload.
class S3Writer final : public Writer {
 public:
  S3Writer(std::shared_ptr<Bucket> bucket, std::string key) : bucket_(std::move(bucket)), key_(std::move(key)) {}

  Task<void> write(std::string_view data) override {
    const auto part_size = std::max<std::uint64_t>(bucket_->options().part_size, 5 * 1024 * 1024);
    while (!data.empty()) {
      const auto size = std::min<std::uint64_t>(data.size(), part_size - pending_.size());
      pending_ += data.substr(0, size);
      data.remove_prefix(size);
      if (pending_.size() == part_size) co_await send_part();
    }
  }

  Task<ObjectInfo> commit() override {
    if (upload_.empty()) {
      const auto response = co_await bucket_->call({"PUT", key_, {}, {}, pending_});
      co_return ObjectInfo{key_, pending_.size(), unquoted(response.headers.get("ETag")), {}};
    }
    if (!pending_.empty()) co_await send_part();
    std::string body = "<CompleteMultipartUpload>";
    for (std::size_t i = 0; i < etags_.size(); ++i) {
      body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>\"{}\"</ETag></Part>", i + 1, etags_[i]);
    }
    body += "</CompleteMultipartUpload>";
    const auto response = co_await bucket_->call({"POST", key_, {{"uploadId", upload_}}, {}, body});
    // S3 may answer 200 and report the failure in the body.
    if (response.body.contains("<Error>")) throw s3_error(response, "complete the upload of " + key_);
    upload_.clear();
    co_return ObjectInfo{key_, sent_, xml_text(response.body, "ETag"), {}};
  }

  Task<void> abort() override {
    pending_.clear();
    if (!upload_.empty())
      co_await bucket_->call({"DELETE", key_, {{"uploadId", std::exchange(upload_, "")}}, {}, ""}, {404});
  }

 private:
  Task<void> send_part() {
    if (upload_.empty()) {
      const auto begun = co_await bucket_->call({"POST", key_, {{"uploads", ""}}, {}, ""});
      upload_ = xml_text(begun.body, "UploadId");
      if (upload_.empty()) throw Error(Code::kCorrupt, "the store begins a multipart upload without an UploadId");
    }
    const http::Query query = {{"partNumber", std::to_string(etags_.size() + 1)}, {"uploadId", upload_}};
    sent_ += pending_.size();
    const auto response = co_await bucket_->call({"PUT", key_, query, {}, std::exchange(pending_, "")});
    etags_.push_back(unquoted(response.headers.get("ETag")));
  }

  std::shared_ptr<Bucket> bucket_;
  std::string key_;
  std::string pending_;
  std::string upload_;
  std::vector<std::string> etags_;
  std::uint64_t sent_ = 0;
};

class S3Store final : public Store {
 public:
  explicit S3Store(S3Options options) : bucket_(std::make_shared<Bucket>(std::move(options))) {}

  Task<std::optional<ObjectInfo>> head(std::string key) override {
    check_key(key);
    const auto response = co_await bucket_->call({"HEAD", key, {}, {}, ""}, {404});
    if (response.status == 404) co_return std::nullopt;
    co_return info_of(key, response.headers);
  }

  Task<std::unique_ptr<Reader>> open(std::string key, Range range) override {
    check_key(key);
    Bucket::Call call{"GET", key, {}, {}, ""};
    if (range.offset > 0 || range.length) {
      const auto last = range.length ? std::to_string(range.offset + *range.length - 1) : "";
      call.headers.set("Range", fmt::format("bytes={}-{}", range.offset, last));
    }
    auto stream = co_await bucket_->open(std::move(call));
    if (!stream) co_return nullptr;
    co_return std::make_unique<S3Reader>(std::move(stream), std::move(key), bucket_->options().request_limit);
  }

  Task<ObjectInfo> put(std::string key, std::string bytes) override {
    check_key(key);
    const auto size = bytes.size();
    const auto response = co_await bucket_->call({"PUT", key, {}, {}, std::move(bytes)});
    co_return ObjectInfo{key, size, unquoted(response.headers.get("ETag")), {}};
  }

  Task<std::unique_ptr<Writer>> create(std::string key) override {
    check_key(key);
    co_return std::make_unique<S3Writer>(bucket_, std::move(key));
  }

  Task<ListPage> list(std::string prefix, std::string delimiter, std::string next) override {
    http::Query query = {{"list-type", "2"}, {"encoding-type", "url"}};
    if (!prefix.empty()) query.emplace_back("prefix", prefix);
    if (!delimiter.empty()) query.emplace_back("delimiter", delimiter);
    if (!next.empty()) query.emplace_back("continuation-token", next);
    const auto response = co_await bucket_->call({"GET", "", query, {}, ""});
    co_return parse_listing(response.body, bucket_->describe());
  }

  Task<void> remove(std::string key) override {
    check_key(key);
    co_await bucket_->call({"DELETE", key, {}, {}, ""}, {404});
  }

  std::string describe() const override { return bucket_->describe(); }

 private:
  std::shared_ptr<Bucket> bucket_;
};

}  // namespace

StorePtr make_s3_store(S3Options options) { return std::make_shared<S3Store>(std::move(options)); }

}  // namespace mtc::blob
