#include "blob/s3_bucket.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "base/encoding.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "blob/s3_error.hpp"
#include "blob/s3_xml.hpp"

namespace mtc::blob {
namespace {

/// Answers that are read whole: a page of a listing is below 2 MiB.
constexpr std::size_t kMaxAnswer = 16 * 1024 * 1024;
/// Hashing more than this would hold up the event loop.
constexpr std::size_t kQuickHash = 256 * 1024;

class SharedBody final : public http::BodySource {
 public:
  explicit SharedBody(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)), left_(*bytes_) {}
  Task<std::string_view> next() override { co_return std::exchange(left_, {}); }
  void rewind() override { left_ = *bytes_; }
  std::optional<std::uint64_t> size() const override { return bytes_->size(); }

 private:
  std::shared_ptr<const std::string> bytes_;
  std::string_view left_;
};

bool may_name_a_bucket(std::string_view name) {
  constexpr std::string_view kForbidden = "/\\?#%\"<>";
  return !name.empty() && std::ranges::all_of(name, [&](unsigned char c) {
    return c > ' ' && c < 0x7f && !kForbidden.contains(static_cast<char>(c));
  });
}

http::Url endpoint_of(const S3Options& options) {
  if (options.endpoint.empty()) return http::Url::parse(fmt::format("https://s3.{}.amazonaws.com", options.region));
  auto url = http::Url::parse(options.endpoint);
  if ((!url.path.empty() && url.path != "/") || !url.query.empty()) {
    throw Error(Code::kInvalid, fmt::format("the endpoint {} has a path: S3 is served at the root of a host, and the "
                                            "bucket has a field of its own",
                                            options.endpoint));
  }
  url.path.clear();
  return url;
}

bool is_address(std::string_view host) {
  return host.find_first_not_of("0123456789.") == host.npos || host.contains(':');
}

/// Nothing is below an IP address; and a wildcard certificate covers one label, so a dotted bucket cannot be a host.
bool is_host_label(const S3Options& options, const http::Url& endpoint) {
  return options.style == AddressingStyle::kVirtualHost && !is_address(endpoint.host) &&
         !(endpoint.scheme == "https" && options.bucket.contains('.'));
}

/// Checks what must hold before anything else is made of the options.
S3Options checked(S3Options options) {
  if (!may_name_a_bucket(options.bucket)) {
    throw Error(Code::kInvalid, fmt::format("\"{}\" cannot be the name of a bucket", options.bucket));
  }
  return options;
}

http::ClientOptions client_options(const S3Options& options) {
  http::ClientOptions http;
  http.origin = endpoint_of(options);
  if (is_host_label(options, http.origin)) http.origin.host = options.bucket + "." + http.origin.host;
  if (http.origin.scheme == "https") {
    net::TlsClientOptions tls;
    tls.ca_pem = options.ca_pem;
    tls.verify = options.insecure ? net::Verify::kNo : net::Verify::kYes;
    http.tls = std::make_shared<net::TlsClient>(std::move(tls));
  }
  http.connector =
      options.connector ? options.connector : net::proxy_connector(net::proxy_from_environment(), net::tcp_connector());
  http.max_connections = options.concurrent_requests;
  http.response_limit = options.request_limit;
  http.body_stall_limit = options.request_limit;
  http.max_body_bytes = kMaxAnswer;
  return http;
}

/// The beginning of a body, as much as an error may have.
Task<std::string> read_refusal(http::ResponseStream* stream, Duration stall) {
  constexpr std::size_t kMaxRefusal = 64 * 1024;
  std::string body;
  for (auto piece = co_await stream->read(stall); !piece.empty(); piece = co_await stream->read(stall)) {
    body += piece.substr(0, kMaxRefusal - body.size());
    if (body.size() == kMaxRefusal) break;
  }
  co_return body;
}

}  // namespace

Bucket::Bucket(S3Options options)
    : options_(checked(std::move(options))),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
      root_(is_host_label(options_, endpoint_of(options_)) ? "" : "/" + percent_encode(options_.bucket)),
      http_(client_options(options_)) {}

std::string Bucket::describe() const {
  return fmt::format("bucket {} at {}", options_.bucket,
                     options_.endpoint.empty() ? "AWS " + options_.region : options_.endpoint);
}

async::Backoff Bucket::backoff() const {
  return {.base = std::chrono::milliseconds(200),
          .cap = std::chrono::seconds(5),
          .max_attempts = std::max(1U, options_.max_attempts)};
}

Task<http::Response> Bucket::call(Call call, std::vector<int> fine) {
  const auto hash = co_await payload_hash(call);
  co_return co_await async::retry<http::Response>(backoff(),
                                                  [this, call, hash, fine] { return attempt(call, hash, fine); });
}

Task<http::ResponseStreamPtr> Bucket::open(Call call) {
  const auto hash = co_await payload_hash(call);
  co_return co_await async::retry<http::ResponseStreamPtr>(backoff(),
                                                           [this, call, hash] { return attempt_open(call, hash); });
}

Task<void> Bucket::demand_bucket() {
  if (exists_) co_return;
  const auto response = co_await call({.doing = "find", .method = "HEAD", .key = ""}, {403, 404});
  if (response.status == 404) {
    throw Error(Code::kNotFound, fmt::format("{} does not exist — create the bucket, or correct its name", describe()))
        .with_http_status(404);
  }
  exists_ = true;
}

Task<void> Bucket::abort_abandoned() {
  for (const auto& upload : std::exchange(abandoned_, {})) {
    try {
      co_await call({.doing = "abort the upload of " + upload.key,
                     .method = "DELETE",
                     .key = upload.key,
                     .query = {{"uploadId", upload.id}}},
                    {404});
    } catch (const Error& error) {
      log::warn("an unfinished upload stays in the bucket", {{"key", upload.key}, {"error", error.what()}});
    }
  }
}

/// Verified TLS keeps a body whole by itself; anything else gets its hash signed.
Task<std::string> Bucket::payload_hash(Call call) const {
  if (!call.body || call.body->empty()) co_return hex(sha256(""));
  if (http_.options().origin.scheme == "https" && !options_.insecure) co_return std::string(kUnsignedPayload);
  if (call.body->size() <= kQuickHash) co_return hex(sha256(*call.body));
  co_return co_await async::offload([body = call.body] { return hex(sha256(*body)); });
}

http::Request Bucket::request_of(const Call& call, const std::string& payload_hash) const {
  auto path = root_;
  if (!call.key.empty()) path += "/" + percent_encode(call.key, KeepSlash::kYes);
  if (path.empty()) path = "/";
  http::Request request;
  request.method = call.method;
  request.target = path + (call.query.empty() ? "" : "?" + http::encode_query(call.query));
  request.headers = call.headers;
  request.headers.set("Host", http_.options().origin.authority());
  if (call.body) request.source = std::make_shared<SharedBody>(call.body);
  const SigningKey key{options_.access_key_id, options_.secret_access_key, options_.region};
  sign(request.headers, call.method, path, call.query, payload_hash, key, clock_.now());
  return request;
}

Error Bucket::refused(const http::Response& response, const Call& call) const {
  return s3_error(response, clock_.now()).with_context(fmt::format("{} in {}", call.doing, describe()));
}

Error Bucket::failed(const Error& error, const Call& call) const {
  return unanswered(error).with_context(fmt::format("{} in {}", call.doing, describe()));
}

Task<http::Response> Bucket::attempt(Call call, std::string payload_hash, std::vector<int> fine) {
  std::optional<Error> failure;
  http::Response response;
  try {
    response = co_await http_.send(request_of(call, payload_hash));
  } catch (const Error& error) {
    failure = failed(error, call);
  }
  if (failure) throw *failure;
  if (std::ranges::find(fine, response.status) != fine.end()) co_return response;
  if (response.status / 100 != 2) throw refused(response, call);
  exists_ = true;
  // A multipart upload is completed with 200 first, and fails in the body later.
  if (call.method == "POST" && !xml_text(response.body, "Code").empty()) throw refused(response, call);
  co_return response;
}

Task<http::ResponseStreamPtr> Bucket::attempt_open(Call call, std::string payload_hash) {
  std::optional<Error> failure;
  http::ResponseStreamPtr stream;
  http::Response refusal;
  try {
    stream = co_await http_.open(request_of(call, payload_hash));
    const auto& head = stream->head();
    if (head.status / 100 != 2) {
      refusal = {head.status, head.reason, head.headers, co_await read_refusal(stream.get(), options_.request_limit)};
    }
  } catch (const Error& error) {
    failure = failed(error, call);
  }
  if (failure) throw *failure;
  if (stream->head().status / 100 == 2) {
    exists_ = true;
    co_return stream;
  }
  if (xml_text(refusal.body, "Code") == "NoSuchKey") co_return nullptr;
  throw refused(refusal, call);
}

}  // namespace mtc::blob
