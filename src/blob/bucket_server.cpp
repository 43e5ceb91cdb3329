#include "blob/bucket_server.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "async/scope.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "base/strings.hpp"
#include "blob/bucket_answer.hpp"
#include "blob/bucket_auth.hpp"
#include "blob/bucket_body.hpp"
#include "blob/bucket_listing.hpp"
#include "blob/bucket_uploads.hpp"
#include "blob/http_date.hpp"
#include "blob/s3_xml.hpp"
#include "http/server.hpp"

namespace mtc::blob {
namespace {

/// Bodies that are documents: the list of a DeleteObjects or of the parts of an upload.
constexpr std::size_t kLargestDocument = 4 * 1024 * 1024;

/// Query parameters that ask for something else than the object or the listing: to answer as if they were absent would
/// be worse than to refuse.
constexpr std::array<std::string_view, 29> kNotServed = {"accelerate",
                                                         "acl",
                                                         "analytics",
                                                         "attributes",
                                                         "cors",
                                                         "encryption",
                                                         "inventory",
                                                         "intelligent-tiering",
                                                         "legal-hold",
                                                         "lifecycle",
                                                         "logging",
                                                         "metrics",
                                                         "notification",
                                                         "object-lock",
                                                         "ownershipControls",
                                                         "policy",
                                                         "policyStatus",
                                                         "publicAccessBlock",
                                                         "replication",
                                                         "requestPayment",
                                                         "restore",
                                                         "retention",
                                                         "select",
                                                         "tagging",
                                                         "torrent",
                                                         "versionId",
                                                         "versioning",
                                                         "versions",
                                                         "website"};

bool asks_for(const http::ServerRequest& request, std::string_view name) {
  return std::ranges::find(request.query, name, &http::Query::value_type::first) != request.query.end();
}

[[noreturn]] void not_allowed() {
  throw Refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
}

/// "bytes=a-b", "bytes=a-" or "bytes=-n" of an object of `size` bytes; nullopt for anything else, which is then ignored
/// as RFC 9110 §14.2 allows.
std::optional<Range> parse_range(std::string_view text, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, value);
    return read.ec == std::errc{} && read.ptr == end ? std::optional(value) : std::nullopt;
  };
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  if (dash == 0 && last) return Range{size - std::min(size, *last), std::min(size, *last)};
  const bool open_ended = dash + 1 == text.size();
  if (!first || (!last && !open_ended) || (last && *last < *first)) return std::nullopt;
  if (*first >= size) {
    throw Refusal(416, "InvalidRange", "The requested range is not satisfiable",
                  element("ActualObjectSize", std::to_string(size)));
  }
  return Range{*first, std::min(last.value_or(size - 1), size - 1) - *first + 1};
}

http::Headers object_headers(const ObjectInfo& info) {
  return {{"ETag", '"' + info.etag + '"'},
          {"Last-Modified", http_date(info.modified)},
          {"Accept-Ranges", "bytes"},
          {"Content-Type", "application/octet-stream"}};
}

class Server final : public BucketServer {
 public:
  Server(BucketServerOptions options, async::Scope scope)
      : options_(std::move(options)),
        clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
        key_{options_.access_key_id, options_.secret_access_key, options_.region},
        uploads_(options_.parts ? options_.parts : make_memory_store(), system_rng()),
        scope_(std::move(scope)) {}

  Task<void> listen() {
    auto listener = co_await net::listen_tcp(options_.listen);
    url_ = fmt::format("{}://{}", options_.tls ? "https" : "http",
                       net::text_of({options_.listen.host, listener->local().port}));
    http::ServerOptions http;
    http.tls = options_.tls;
    server_ = std::make_unique<http::Server>(
        std::move(listener), std::move(http),
        [this](http::ServerRequest& request, http::ResponseWriter& writer) { return serve(&request, &writer); });
    scope_.spawn_isolated(server_->run(), [](const std::exception_ptr&) {});
  }

  const std::string& url() const override { return url_; }
  Task<void> stop() override { return scope_.cancel_and_join(); }

 private:
  struct Exchange {
    http::ServerRequest* request;
    http::ResponseWriter* writer;
    VerifiedRequest verified;
    std::string bucket;
    std::string key;  ///< "" = the bucket itself
    Store* store = nullptr;
  };

  /// Nothing of an answer is sent before its status is certain; a failure after that cuts the connection.
  Task<void> serve(http::ServerRequest* request, http::ResponseWriter* writer) {
    std::optional<Refusal> refusal;
    std::optional<http::Response> response;
    bool streaming = false;
    try {
      response = co_await answer(request, writer, &streaming);
    } catch (const Refusal& thrown) {
      refusal = thrown;
    } catch (const Error& error) {
      if (streaming) throw;
      refusal = refusal_for(error);
    }
    if (refusal) response = refusal->answer();
    if (!response) co_return;
    response->headers.set("x-amz-request-id", uuid4(system_rng()));
    response->headers.set("Date", http_date(clock_.now()));
    co_await writer->respond(std::move(*response));
  }

  /// Nothing if the answer was streamed.
  Task<std::optional<http::Response>> answer(http::ServerRequest* request, http::ResponseWriter* writer,
                                             bool* streaming) {
    Exchange exchange{request, writer, verify_request(*request, key_, clock_.now()), "", "", nullptr};
    for (const auto name : kNotServed) {
      if (asks_for(*request, name)) throw Refusal(501, "NotImplemented", fmt::format("?{} is not implemented.", name));
    }
    if (request->headers.has("x-amz-copy-source")) throw Refusal(501, "NotImplemented", "Copies are not implemented.");
    locate(&exchange);
    if (exchange.bucket.empty()) co_return list_buckets(*request);
    const auto bucket = options_.buckets.find(exchange.bucket);
    if (bucket == options_.buckets.end()) {
      throw Refusal(404, "NoSuchBucket", "The specified bucket does not exist", element("BucketName", exchange.bucket));
    }
    exchange.store = bucket->second.get();
    if (exchange.key.empty()) co_return co_await bucket_request(exchange);
    if (request->method == "GET" && !asks_for(*request, "uploadId")) {
      co_await send_object(exchange, streaming);
      co_return std::nullopt;
    }
    co_return co_await object_request(exchange);
  }

  /// Finds bucket and key, in path style or in virtual-host style.
  void locate(Exchange* exchange) const {
    const auto path = percent_decode(exchange->request->path);
    if (!path || !path->starts_with('/')) throw Refusal(400, "InvalidURI", "Couldn't parse the specified URI.");
    auto host = to_lower(exchange->request->headers.get("Host"));
    host.resize(std::min(host.size(), host.rfind(':')));
    const auto suffix = "." + options_.domain;
    if (!options_.domain.empty() && host.ends_with(suffix)) {
      exchange->bucket = host.substr(0, host.size() - suffix.size());
      exchange->key = path->substr(1);
      return;
    }
    const auto slash = std::min(path->size(), path->find('/', 1));
    exchange->bucket = path->substr(1, slash - 1);
    if (slash < path->size()) exchange->key = path->substr(slash + 1);
  }

  http::Response list_buckets(const http::ServerRequest& request) const {
    if (request.method != "GET") not_allowed();
    std::string body = "<ListAllMyBucketsResult><Owner><ID>mtc</ID></Owner><Buckets>";
    for (const auto& [name, store] : options_.buckets) {
      body += fmt::format("<Bucket>{}{}</Bucket>", element("Name", name), element("CreationDate", rfc3339(Time{})));
    }
    return xml_answer(200, body + "</Buckets></ListAllMyBucketsResult>");
  }

  Task<http::Response> bucket_request(Exchange exchange) {
    const auto& request = *exchange.request;
    if (request.method == "HEAD") co_return http::Response{200, "", {{"x-amz-bucket-region", options_.region}}, ""};
    if (request.method == "POST" && asks_for(request, "delete")) co_return co_await remove_many(exchange);
    if (request.method == "PUT") {
      throw Refusal(409, "BucketAlreadyOwnedByYou", "The bucket exists: buckets of this server are configured.");
    }
    if (request.method != "GET") not_allowed();
    if (asks_for(request, "uploads")) throw Refusal(501, "NotImplemented", "Listing uploads is not implemented.");
    if (asks_for(request, "location")) {
      // The first region has no name here: docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
      co_return xml_answer(200, element("LocationConstraint", options_.region == "us-east-1" ? "" : options_.region));
    }
    co_return co_await answer_listing(exchange.store, exchange.bucket, exchange.request);
  }

  Task<http::Response> object_request(Exchange exchange) {
    const auto& request = *exchange.request;
    const auto id = std::string(request.param("uploadId"));
    const auto& [bucket, key] = std::pair(exchange.bucket, exchange.key);
    if (request.method == "HEAD") co_return co_await head_object(exchange);
    if (request.method == "PUT") {
      const auto body = open_body(exchange.request, exchange.verified, key_);
      const auto number = std::string(request.param("partNumber"));
      const auto info = id.empty() ? co_await store_body(exchange.store, key, body.get())
                                   : co_await uploads_.put_part(id, bucket, key, number, body.get());
      co_return etag_answer(info.etag);
    }
    if (request.method == "DELETE") {
      if (id.empty()) {
        co_await exchange.store->remove(key);
      } else {
        co_await uploads_.abort(id, bucket, key);
      }
      co_return http::Response{204, "", {}, ""};
    }
    if (request.method == "GET") throw Refusal(501, "NotImplemented", "Listing parts is not implemented.");
    if (request.method != "POST") not_allowed();
    if (asks_for(request, "uploads")) {
      co_return xml_answer(200, fmt::format("<InitiateMultipartUploadResult>{}{}{}</InitiateMultipartUploadResult>",
                                            element("Bucket", bucket), element("Key", key),
                                            element("UploadId", uploads_.begin(bucket, key))));
    }
    if (id.empty()) not_allowed();
    const auto info = co_await uploads_.complete(id, bucket, key, co_await document(exchange), exchange.store);
    co_return xml_answer(
        200, fmt::format("<CompleteMultipartUploadResult>{}{}{}</CompleteMultipartUploadResult>",
                         element("Bucket", bucket), element("Key", key), element("ETag", '"' + info.etag + '"')));
  }

  /// A body that is read whole.
  Task<std::string> document(Exchange exchange) {
    const auto body = open_body(exchange.request, exchange.verified, key_);
    std::string text;
    for (auto piece = co_await body->read(); !piece.empty(); piece = co_await body->read()) {
      if (text.size() + piece.size() > kLargestDocument) {
        throw Refusal(400, "EntityTooLarge", "The document is too long.");
      }
      text += piece;
    }
    co_return text;
  }

  Task<ObjectInfo> demand_object(Exchange exchange) {
    auto info = co_await exchange.store->head(exchange.key);
    if (!info) {
      throw Refusal(404, "NoSuchKey", "The specified key does not exist.", element("Key", exchange.key));
    }
    const auto wanted = exchange.request->headers.get("If-Match");
    if (!wanted.empty() && wanted != "*" && unquoted(wanted) != info->etag) {
      throw Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    }
    co_return *info;
  }

  Task<http::Response> head_object(Exchange exchange) {
    const auto info = co_await demand_object(exchange);
    http::Response response{200, "", object_headers(info), ""};
    response.headers.set("Content-Length", std::to_string(info.size));
    co_return response;
  }

  Task<void> send_object(Exchange exchange, bool* streaming) {
    const auto info = co_await demand_object(exchange);
    const auto range = parse_range(exchange.request->headers.get("Range"), info.size);
    const auto reader = co_await exchange.store->open(exchange.key, range.value_or(Range{}));
    if (!reader) throw Refusal(404, "NoSuchKey", "The specified key does not exist.", element("Key", exchange.key));
    http::ResponseHead head{range ? 206 : 200, "", object_headers(reader->info())};
    const auto size = reader->info().size;
    const auto length = range ? *range->length : size;
    if (range) {
      head.headers.set("Content-Range", fmt::format("bytes {}-{}/{}", range->offset, range->offset + length - 1, size));
    }
    *streaming = true;
    co_await exchange.writer->begin_sized(std::move(head), length);
    for (auto piece = co_await reader->read(); !piece.empty(); piece = co_await reader->read()) {
      co_await exchange.writer->write(piece);
    }
  }

  /// DeleteObjects: what cannot be removed is told key by key.
  Task<http::Response> remove_many(Exchange exchange) {
    const auto text = co_await document(exchange);
    pugi::xml_document xml;
    const auto parsed = xml.load_buffer(text.data(), text.size());
    if (!parsed || !xml.child("Delete")) {
      throw Refusal(400, "MalformedXML", "The XML you provided was not well-formed or did not validate");
    }
    const bool quiet = xml.child("Delete").child("Quiet").text().as_bool();
    std::string body;
    for (const auto& node : xml.child("Delete").children("Object")) {
      const std::string key = node.child_value("Key");
      std::optional<Error> failure;
      try {
        co_await exchange.store->remove(key);
      } catch (const Error& error) {
        failure = error;
      }
      if (failure) {
        body += fmt::format("<Error>{}{}{}</Error>", element("Key", key), element("Code", "InternalError"),
                            element("Message", failure->what()));
      } else if (!quiet) {
        body += fmt::format("<Deleted>{}</Deleted>", element("Key", key));
      }
    }
    co_return xml_answer(200, fmt::format("<DeleteResult>{}</DeleteResult>", body));
  }

  BucketServerOptions options_;
  const Clock& clock_;
  SigningKey key_;
  Uploads uploads_;
  std::string url_;
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
