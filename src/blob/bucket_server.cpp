#include "blob/bucket_server.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/rng.hpp"
#include "base/strings.hpp"
#include "blob/sigv4.hpp"
#include "http/server.hpp"

namespace mtc::blob {
namespace {

constexpr std::size_t kMaxObject = 1024 * 1024 * 1024;  ///< one PUT or part, held in memory
constexpr auto kMaxSkew = std::chrono::minutes(15);

std::string xml_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

http::Response xml(int status, std::string body) {
  return {status,
          "",
          {{"Content-Type", "application/xml"}},
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + std::move(body)};
}

http::Response refusal(int status, std::string_view code, std::string_view message) {
  return xml(status, fmt::format("<Error><Code>{}</Code><Message>{}</Message></Error>", code, xml_escape(message)));
}

/// The parts of "AWS4-HMAC-SHA256 Credential=id/date/region/s3/aws4_request,SignedHeaders=a;b,Signature=hex".
struct Claim {
  std::string access_key_id, region, signed_headers, signature;
};

std::optional<Claim> parse_claim(std::string_view header) {
  constexpr std::string_view kScheme = "AWS4-HMAC-SHA256 ";
  if (!header.starts_with(kScheme)) return std::nullopt;
  Claim claim;
  for (const auto& raw : split(header.substr(kScheme.size()), ',')) {
    const auto part = trim(raw);
    const auto value = std::string(part.substr(std::min(part.size(), part.find('=') + 1)));
    if (part.starts_with("Credential=")) {
      const auto scope = split(value, '/');
      if (scope.size() < 5) return std::nullopt;
      claim.access_key_id = scope[0];
      claim.region = scope[2];
    } else if (part.starts_with("SignedHeaders=")) {
      claim.signed_headers = value;
    } else if (part.starts_with("Signature=")) {
      claim.signature = value;
    }
  }
  return claim;
}

std::optional<Time> parse_amz_date(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  return parse_rfc3339(fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2),
                                   text.substr(9, 2), text.substr(11, 2), text.substr(13, 2)));
}

/// "bytes=a-b", "bytes=a-"; nullopt for anything else, which is then ignored as RFC 9110 allows.
std::optional<Range> parse_range(std::string_view text) {
  if (!text.starts_with("bytes=")) return std::nullopt;
  text.remove_prefix(6);
  const auto dash = text.find('-');
  Range range;
  std::uint64_t last = 0;
  if (std::from_chars(text.data(), text.data() + dash, range.offset).ec != std::errc{}) return std::nullopt;
  const auto tail = text.substr(dash + 1);
  if (tail.empty()) return range;
  if (std::from_chars(tail.data(), tail.data() + tail.size(), last).ec != std::errc{} || last < range.offset)
    return std::nullopt;
  range.length = last - range.offset + 1;
  return range;
}

struct Upload {
  std::string key;
  std::map<int, std::string> parts;
};

class Server final : public BucketServer {
 public:
  Server(BucketServerOptions options, async::Scope scope) : options_(std::move(options)), scope_(std::move(scope)) {}

  Task<void> listen() {
    auto listener = co_await net::listen_tcp(options_.listen);
    url_ = fmt::format("http://{}:{}", options_.listen.host, listener->local().port);
    server_ = std::make_unique<http::Server>(
        std::move(listener), http::ServerOptions{},
        [this](http::ServerRequest& request, http::ResponseWriter& writer) { return serve(&request, &writer); });
    scope_.spawn_isolated(server_->run(), [](const std::exception_ptr&) {});
  }

  const std::string& url() const override { return url_; }
  Task<void> stop() override { return scope_.cancel_and_join(); }

 private:
  struct Target {
    Store* store = nullptr;
    std::string key;
  };

  Task<void> serve(http::ServerRequest* request, http::ResponseWriter* writer) {
    const auto body = co_await request->body(kMaxObject);
    auto response = check_signature(*request, body);
    if (!response) {
      std::optional<Error> failure;
      try {
        response = co_await route(request, &body);
      } catch (const Error& error) {
        failure = error;
      }
      if (failure)
        response = refusal(failure->code() == Code::kInvalid ? 416 : 500,
                           failure->code() == Code::kInvalid ? "InvalidRange" : "InternalError", failure->what());
    }
    response->headers.set("x-amz-request-id", uuid4(system_rng()));
    co_await writer->respond(std::move(*response));
  }

  std::optional<http::Response> check_signature(const http::ServerRequest& request, const std::string& body) const {
    const auto claim = parse_claim(request.headers.get("Authorization"));
    if (!claim) return refusal(403, "AccessDenied", "Access Denied.");
    if (claim->access_key_id != options_.access_key_id) {
      return refusal(403, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records.");
    }
    const auto date = request.headers.get("x-amz-date");
    const auto signed_at = parse_amz_date(date);
    const auto now = (options_.clock != nullptr ? *options_.clock : system_clock()).now();
    if (!signed_at || *signed_at < now - kMaxSkew || *signed_at > now + kMaxSkew) {
      return refusal(403, "RequestTimeTooSkewed",
                     "The difference between the request time and the server's time is too large.");
    }
    if (claim->region != options_.region) {
      return xml(400, fmt::format("<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region '{}' is wrong; "
                                  "expecting '{}'</Message>"
                                  "<Region>{}</Region></Error>",
                                  xml_escape(claim->region), options_.region, options_.region));
    }
    const auto payload = request.headers.get("x-amz-content-sha256");
    if (payload != kUnsignedPayload && payload != hex(sha256(body))) {
      return refusal(400, "XAmzContentSHA256Mismatch",
                     "The provided 'x-amz-content-sha256' header does not match what was computed.");
    }
    const SigningKey key{options_.access_key_id, options_.secret_access_key, options_.region};
    if (signature_of(request.headers, request.method, request.path, request.query, payload, claim->signed_headers, key,
                     date) != claim->signature) {
      return refusal(403, "SignatureDoesNotMatch",
                     "The request signature we calculated does not match the signature you provided.");
    }
    return std::nullopt;
  }

  Task<http::Response> route(http::ServerRequest* request, const std::string* body) {
    const auto path = percent_decode(request->path).value_or("");
    const auto slash = path.find('/', 1);
    const auto bucket = options_.buckets.find(
        path.substr(std::min<std::size_t>(1, path.size()), slash == std::string::npos ? slash : slash - 1));
    if (bucket == options_.buckets.end()) co_return refusal(404, "NoSuchBucket", "The specified bucket does not exist");
    const Target target{bucket->second.get(), slash == std::string::npos ? "" : path.substr(slash + 1)};
    if (target.key.empty()) co_return co_await bucket_request(target, request);
    if (request->method == "PUT" && !request->param("uploadId").empty()) co_return put_part(request, *body);
    if (request->method == "PUT") co_return etag_answer((co_await target.store->put(target.key, *body)).etag);
    if (request->method == "POST") co_return co_await upload_request(target, request);
    if (request->method == "DELETE") co_return co_await remove(target, request);
    co_return co_await fetch(target, request);
  }

  static http::Response etag_answer(const std::string& etag) { return {200, "", {{"ETag", '"' + etag + '"'}}, ""}; }

  Task<http::Response> bucket_request(Target target, http::ServerRequest* request) {
    if (request->method == "HEAD") co_return http::Response{};
    if (request->method != "GET")
      co_return refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
    const auto page =
        co_await target.store->list(std::string(request->param("prefix")), std::string(request->param("delimiter")),
                                    std::string(request->param("continuation-token")));
    std::string body =
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>";
    body += fmt::format("<IsTruncated>{}</IsTruncated>", !page.next.empty());
    if (!page.next.empty())
      body += fmt::format("<NextContinuationToken>{}</NextContinuationToken>", xml_escape(page.next));
    for (const auto& object : page.objects) {
      body += fmt::format(
          "<Contents><Key>{}</Key><Size>{}</Size><ETag>&quot;{}&quot;</ETag><LastModified>{}</LastModified></Contents>",
          percent_encode(object.key, KeepSlash::kYes), object.size, object.etag, rfc3339(object.modified));
    }
    for (const auto& prefix : page.prefixes) {
      body +=
          fmt::format("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", percent_encode(prefix, KeepSlash::kYes));
    }
    co_return xml(200, body + "</ListBucketResult>");
  }

  Task<http::Response> fetch(Target target, http::ServerRequest* request) {
    const auto info = co_await target.store->head(target.key);
    if (!info) co_return refusal(404, "NoSuchKey", "The specified key does not exist.");
    http::Response response{200, "", {{"ETag", '"' + info->etag + '"'}}, ""};
    if (request->method == "HEAD") {
      response.headers.set("Content-Length", std::to_string(info->size));
      co_return response;
    }
    const auto range = parse_range(request->headers.get("Range"));
    const auto reader = co_await target.store->open(target.key, range.value_or(Range{}));
    if (!reader) co_return refusal(404, "NoSuchKey", "The specified key does not exist.");
    for (auto piece = co_await reader->read(); !piece.empty(); piece = co_await reader->read()) response.body += piece;
    if (range) {
      response.status = 206;
      response.headers.set("Content-Range", fmt::format("bytes {}-{}/{}", range->offset,
                                                        range->offset + response.body.size() - 1, info->size));
    }
    co_return response;
  }

  Task<http::Response> remove(Target target, http::ServerRequest* request) {
    if (const auto id = request->param("uploadId"); !id.empty()) {
      uploads_.erase(std::string(id));
    } else {
      co_await target.store->remove(target.key);
    }
    co_return http::Response{204, "", {}, ""};
  }

  http::Response put_part(http::ServerRequest* request, const std::string& body) {
    const auto at = uploads_.find(std::string(request->param("uploadId")));
    if (at == uploads_.end()) return refusal(404, "NoSuchUpload", "The specified multipart upload does not exist.");
    at->second.parts[std::atoi(std::string(request->param("partNumber")).c_str())] = body;
    return etag_answer(hex(md5(body)));
  }

  Task<http::Response> upload_request(Target target, http::ServerRequest* request) {
    const auto id = std::string(request->param("uploadId"));
    if (id.empty()) {
      const auto fresh = uuid4(system_rng());
      uploads_[fresh].key = target.key;
      co_return xml(
          200,
          fmt::format("<InitiateMultipartUploadResult><UploadId>{}</UploadId></InitiateMultipartUploadResult>", fresh));
    }
    const auto at = uploads_.find(id);
    if (at == uploads_.end()) co_return refusal(404, "NoSuchUpload", "The specified multipart upload does not exist.");
    const auto writer = co_await target.store->create(at->second.key);
    for (const auto& [number, bytes] : at->second.parts) co_await writer->write(bytes);
    const auto info = co_await writer->commit();
    uploads_.erase(id);
    co_return xml(
        200, fmt::format("<CompleteMultipartUploadResult><ETag>&quot;{}&quot;</ETag></CompleteMultipartUploadResult>",
                         info.etag));
  }

  BucketServerOptions options_;
  std::string url_;
  std::map<std::string, Upload> uploads_;
  std::unique_ptr<http::Server> server_;
  async::Scope scope_;
};

}  // namespace

Task<std::unique_ptr<BucketServer>> BucketServer::start(BucketServerOptions options) {
  auto server = std::make_unique<Server>(std::move(options), co_await async::Scope::create());
  co_await server->listen();
  co_return server;
}

}  // namespace mtc::blob
