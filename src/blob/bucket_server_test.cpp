#include "blob/bucket_server.hpp"

#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "blob/s3_xml.hpp"
#include "blob/sigv4.hpp"
#include "blob/testing/faulty_store.hpp"
#include "blob/testing/store_contract.hpp"
#include "blob/testing/test_bucket.hpp"
#include "http/client.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::blob {
namespace {

using namespace std::chrono_literals;
using net::testing::run;
using ::testing::AllOf;
using testing::bucket_options;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::StoreFault;

class FixedClock final : public Clock {
 public:
  Time now() const override { return time; }
  Time time = *parse_rfc3339("2026-01-02T03:04:05Z");
};

const FixedClock kClock;
const SigningKey kKey{"key", Secret("secret"), "us-east-1"};

/// A request, signed unless it is changed after.
struct Ask {
  std::string method = "GET";
  std::string path = "/b/a";
  http::Query query = {};
  http::Headers headers = {};
  std::string body = {};
  SigningKey key = kKey;
  Time at = kClock.time;
  std::string payload_hash = {};  ///< "" = that of the body
};

class Peer {
 public:
  explicit Peer(const std::string& url) : origin_(http::Url::parse(url)), client_(options_of(origin_)) {}

  http::Request signed_request(Ask ask) const {
    http::Request request;
    request.method = ask.method;
    request.target = ask.path + (ask.query.empty() ? "" : "?" + http::encode_query(ask.query));
    request.headers = ask.headers;
    request.headers.set("Host", origin_.authority());
    if (ask.payload_hash.empty()) ask.payload_hash = hex(sha256(ask.body));
    sign(request.headers, ask.method, ask.path, ask.query, ask.payload_hash, ask.key, ask.at);
    request.body = ask.body;
    return request;
  }
  Task<http::Response> ask(Ask ask) { return client_.send(signed_request(std::move(ask))); }
  Task<http::Response> send(http::Request request) { return client_.send(std::move(request)); }
  std::string host() const { return origin_.authority(); }

 private:
  static http::ClientOptions options_of(const http::Url& url) {
    http::ClientOptions options;
    options.origin = url;
    return options;
  }
  http::Url origin_;
  http::Client client_;
};

/// "403 AccessDenied", or the status alone.
std::string outcome(const http::Response& response) {
  const auto code = xml_text(response.body, "Code");
  return std::to_string(response.status) + (code.empty() ? "" : " " + code);
}

void with_peer(Task<void> (*use)(Peer* peer, Store* bucket), StorePtr bucket = make_memory_store()) {
  auto options = bucket_options();
  options.buckets["b"] = bucket;
  options.clock = &kClock;
  auto call = [use, bucket](S3Options client) {
    auto with = [](Task<void> (*body)(Peer*, Store*), std::string url, StorePtr store) -> Task<void> {
      Peer peer(url);
      co_await body(&peer, store.get());
    };
    return with(use, client.endpoint, bucket);
  };
  run(testing::with_bucket(call, std::move(options)));
}

TEST(BucketServer, RefusesWhoCannotProveWhoTheyAre) {
  with_peer([](Peer* peer, Store* bucket) -> Task<void> {
    co_await bucket->put("a", "1");
    EXPECT_EQ(outcome(co_await peer->ask({})), "200");
    EXPECT_EQ(outcome(co_await peer->send({.method = "GET", .target = "/b/a"})), "403 AccessDenied");
    auto ask = Ask{};
    ask.key.secret_access_key = Secret("wrong");
    EXPECT_EQ(outcome(co_await peer->ask(ask)), "403 SignatureDoesNotMatch");
    ask.key = kKey;
    ask.key.access_key_id = "nobody";
    EXPECT_EQ(outcome(co_await peer->ask(ask)), "403 InvalidAccessKeyId");
    ask.key = kKey;
    ask.key.region = "eu-north-1";
    const auto misdirected = co_await peer->ask(ask);
    EXPECT_EQ(outcome(misdirected), "400 AuthorizationHeaderMalformed");
    EXPECT_EQ(xml_text(misdirected.body, "Region"), "us-east-1");
    ask.key = kKey;
    ask.key.service = "ec2";
    EXPECT_EQ(outcome(co_await peer->ask(ask)), "400 AuthorizationHeaderMalformed");
  });
}

TEST(BucketServer, RefusesRequestsOfAnotherTime) {
  with_peer([](Peer* peer, Store* bucket) -> Task<void> {
    co_await bucket->put("a", "1");
    for (const auto skew : {-14min, 14min}) EXPECT_EQ(outcome(co_await peer->ask({.at = kClock.time + skew})), "200");
    for (const auto skew : {-16min, 16min}) {
      EXPECT_EQ(outcome(co_await peer->ask({.at = kClock.time + skew})), "403 RequestTimeTooSkewed");
    }
  });
}

TEST(BucketServer, NoticesWhatWasChangedOnTheWay) {
  with_peer([](Peer* peer, Store* bucket) -> Task<void> {
    co_await bucket->put("a", "1");
    co_await bucket->put("c", "2");
    auto request = peer->signed_request({});
    request.target = "/b/c";
    EXPECT_EQ(outcome(co_await peer->send(request)), "403 SignatureDoesNotMatch");
    request = peer->signed_request({});
    request.target += "?versionless=1";
    EXPECT_EQ(outcome(co_await peer->send(request)), "403 SignatureDoesNotMatch");
    request = peer->signed_request({});
    request.headers.set("x-amz-storage-class", "GLACIER");
    EXPECT_EQ(outcome(co_await peer->send(request)), "403 AccessDenied");
    request = peer->signed_request({.method = "PUT", .body = "honest"});
    request.body = "forged";
    EXPECT_EQ(outcome(co_await peer->send(request)), "400 XAmzContentSHA256Mismatch");
    EXPECT_EQ(co_await testing::content(bucket, "a"), "1");
  });
}

TEST(BucketServer, HonoursPresignedUrlsUntilTheyExpire) {
  with_peer([](Peer* peer, Store* bucket) -> Task<void> {
    co_await bucket->put("a", "1");
    const auto get = [&](Time at, std::string method = "GET") {
      const auto query = presign("GET", peer->host(), "/b/a", {}, kKey, at, 10min);
      return peer->send({.method = std::move(method), .target = "/b/a?" + query});
    };
    EXPECT_EQ((co_await get(kClock.time - 9min)).body, "1");
    EXPECT_EQ(outcome(co_await get(kClock.time - 11min)), "403 AccessDenied");
    EXPECT_EQ(outcome(co_await get(kClock.time, "DELETE")), "403 SignatureDoesNotMatch");
    EXPECT_EQ(co_await testing::content(bucket, "a"), "1");
  });
}

/// A body in signed chunks whose request is signed as `seed`.
std::string signed_chunks(const http::Request& seed, const std::vector<std::string>& chunks) {
  const auto header = std::string(seed.headers.get("Authorization"));
  auto previous = header.substr(header.find("Signature=") + 10);
  std::string body;
  for (const auto& chunk : chunks) {
    previous = chunk_signature(previous, chunk, kKey, seed.headers.get("x-amz-date"));
    body += fmt::format("{:x};chunk-signature={}\r\n{}\r\n", chunk.size(), previous, chunk);
  }
  return body;
}

TEST(BucketServer, ReadsSignedChunks) {
  with_peer([](Peer* peer, Store* bucket) -> Task<void> {
    const std::string big(100'000, 'x');
    const Ask ask{.method = "PUT",
                  .headers = {{"x-amz-decoded-content-length", "100003"}},
                  .payload_hash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"};
    auto request = peer->signed_request(ask);
    const auto body = signed_chunks(request, {big, "end", ""});
    request.body = body;
    EXPECT_EQ(outcome(co_await peer->send(request)), "200");
    EXPECT_EQ(co_await testing::content(bucket, "a"), big + "end");
    co_await bucket->remove("a");
    request.body[body.find("end")] ^= 1;
    EXPECT_EQ(outcome(co_await peer->send(request)), "403 SignatureDoesNotMatch");
    request.body = signed_chunks(request, {big, ""});
    EXPECT_EQ(outcome(co_await peer->send(request)), "400 IncompleteBody");
    request.body = body.substr(0, body.size() - 100);
    EXPECT_EQ(outcome(co_await peer->send(request)), "400 IncompleteBody");
    for (const auto* malformed : {"", "zz\r\n", "3\r\nabc\r\n", "ffffffffffffffff;chunk-signature=0\r\n"}) {
      request.body = malformed;
      EXPECT_EQ((co_await peer->send(request)).status / 100, 4) << malformed;
    }
    EXPECT_EQ(co_await bucket->head("a"), std::nullopt);
  });
}

TEST(BucketServer, ReadsUnsignedChunksWithTrailers) {
  with_peer([](Peer* peer, Store* bucket) -> Task<void> {
    const auto put = [&](std::string body) {
      return peer->ask({.method = "PUT",
                        .headers = {{"x-amz-decoded-content-length", "8"}},
                        .body = std::move(body),
                        .payload_hash = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"});
    };
    EXPECT_EQ(outcome(co_await put("5\r\nhello\r\n3\r\n, w\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n")), "200");
    EXPECT_EQ(co_await testing::content(bucket, "a"), "hello, w");
    EXPECT_EQ(outcome(co_await put("5\r\nhelloXX3\r\n, w\r\n0\r\n\r\n")), "400 IncompleteBody");
    EXPECT_EQ(outcome(co_await put("8\r\nhello, w\r\n")), "400 IncompleteBody");
    EXPECT_EQ(outcome(co_await put("8\r\nhello, w\r\n0\r\n\r\nmore")), "400 IncompleteBody");
  });
}

TEST(BucketServer, RefusesWhatItDoesNotServeInsteadOfPretending) {
  with_peer([](Peer* peer, Store* bucket) -> Task<void> {
    co_await bucket->put("a", "1");
    EXPECT_EQ(outcome(co_await peer->ask({.query = {{"acl", ""}}})), "501 NotImplemented");
    EXPECT_EQ(outcome(co_await peer->ask({.method = "PUT", .query = {{"tagging", ""}}})), "501 NotImplemented");
    EXPECT_EQ(outcome(co_await peer->ask({.method = "PUT", .headers = {{"x-amz-copy-source", "/b/c"}}})),
              "501 NotImplemented");
    EXPECT_EQ(outcome(co_await peer->ask({.method = "PATCH"})), "405 MethodNotAllowed");
    EXPECT_EQ(outcome(co_await peer->ask({.path = "/absent/a"})), "404 NoSuchBucket");
    EXPECT_EQ(outcome(co_await peer->ask({.path = "/b/absent"})), "404 NoSuchKey");
    EXPECT_EQ(outcome(co_await peer->ask({.method = "PUT", .path = "/b/a/../c"})), "400 InvalidArgument");
    EXPECT_EQ(co_await testing::content(bucket, "a"), "1");
  });
}

TEST(BucketServer, ServesRangesAsRfc9110Has) {
  with_peer([](Peer* peer, Store* bucket) -> Task<void> {
    co_await bucket->put("a", "0123456789");
    const auto get = [&](std::string range) { return peer->ask({.headers = {{"Range", std::move(range)}}}); };
    const auto middle = co_await get("bytes=2-4");
    EXPECT_EQ(middle.status, 206);
    EXPECT_EQ(middle.body, "234");
    EXPECT_EQ(middle.headers.get("Content-Range"), "bytes 2-4/10");
    EXPECT_EQ(middle.headers.get("Content-Length"), "3");
    EXPECT_EQ((co_await get("bytes=-3")).body, "789");
    EXPECT_EQ((co_await get("bytes=8-100")).headers.get("Content-Range"), "bytes 8-9/10");
    EXPECT_EQ(outcome(co_await get("bytes=10-")), "416 InvalidRange");
    for (const auto* ignored : {"bytes=", "bytes=x-2", "bytes=4-2", "lines=1-2", "bytes=5"}) {
      EXPECT_EQ((co_await get(ignored)).body, "0123456789") << ignored;
    }
    EXPECT_EQ(outcome(co_await peer->ask({.headers = {{"If-Match", "\"other\""}}})), "412 PreconditionFailed");
  });
}

TEST(BucketServer, PagesAreAsLongAsTheClientWants) {
  with_peer([](Peer* peer, Store* bucket) -> Task<void> {
    for (const auto* key : {"a", "b/1", "b/2", "c", "d/1"}) co_await bucket->put(key, "1");
    for (const bool v2 : {true, false}) {
      std::string seen;
      std::string next;
      do {
        http::Query query = {{"max-keys", "2"}, {"delimiter", "/"}};
        if (v2) query.emplace_back("list-type", "2");
        if (!next.empty()) query.emplace_back(v2 ? "continuation-token" : "marker", next);
        const auto response = co_await peer->ask({.path = "/b", .query = query});
        EXPECT_EQ(response.status, 200);
        for (std::size_t at = 0; (at = response.body.find("<Key>", at)) != std::string::npos; ++at) {
          seen += response.body[at + 5];
        }
        for (std::size_t at = 0; (at = response.body.find("<CommonPrefixes><Prefix>", at)) != std::string::npos; ++at) {
          seen += std::string(1, response.body[at + 24]) + "/";
        }
        next = xml_text(response.body, v2 ? "NextContinuationToken" : "NextMarker");
      } while (!next.empty());
      EXPECT_EQ(seen, "ab/cd/") << v2;
    }
    EXPECT_EQ(outcome(co_await peer->ask({.path = "/b", .query = {{"list-type", "2"}, {"max-keys", "-1"}}})),
              "400 InvalidArgument");
    EXPECT_EQ(outcome(co_await peer->ask({.path = "/b", .query = {{"list-type", "2"}, {"continuation-token", "!"}}})),
              "400 InvalidArgument");
  });
}

TEST(BucketServer, CompletesOnlyUploadsWhosePartsAreRight) {
  with_peer([](Peer* peer, Store* bucket) -> Task<void> {
    const auto begun = co_await peer->ask({.method = "POST", .query = {{"uploads", ""}}});
    const auto id = xml_text(begun.body, "UploadId");
    const auto put = [&](std::string number, std::string body) {
      return peer->ask(
          {.method = "PUT", .query = {{"partNumber", std::move(number)}, {"uploadId", id}}, .body = std::move(body)});
    };
    const auto complete = [&](std::string parts, std::string path = "/b/a") {
      return peer->ask({.method = "POST",
                        .path = std::move(path),
                        .query = {{"uploadId", id}},
                        .body = "<CompleteMultipartUpload>" + parts + "</CompleteMultipartUpload>"});
    };
    const auto part = [](int number, const http::Response& uploaded) {
      return fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number,
                         xml_escape(uploaded.headers.get("ETag")));
    };
    EXPECT_EQ(outcome(co_await put("0", "x")), "400 InvalidArgument");
    EXPECT_EQ(outcome(co_await put("10001", "x")), "400 InvalidArgument");
    const auto one = co_await put("1", std::string(5 * 1024 * 1024, 'x'));
    const auto two = co_await put("2", "small");
    const auto three = co_await put("3", "last");
    EXPECT_EQ(outcome(co_await complete("")), "400 MalformedXML");
    EXPECT_EQ(outcome(co_await complete(part(1, two))), "400 InvalidPart");
    EXPECT_EQ(outcome(co_await complete(part(4, two))), "400 InvalidPart");
    EXPECT_EQ(outcome(co_await complete(part(2, two) + part(1, one))), "400 InvalidPartOrder");
    EXPECT_EQ(outcome(co_await complete(part(2, two) + part(3, three))), "400 EntityTooSmall");
    EXPECT_EQ(outcome(co_await complete(part(1, one), "/b/other")), "404 NoSuchUpload");
    EXPECT_EQ(co_await bucket->head("a"), std::nullopt);
    EXPECT_EQ(outcome(co_await complete(part(1, one) + part(3, three))), "200");
    EXPECT_EQ((co_await bucket->head("a"))->size, 5U * 1024 * 1024 + 4);
    EXPECT_EQ(outcome(co_await complete(part(1, one))), "404 NoSuchUpload");
  });
}

TEST(BucketServer, RemovesManyObjectsAtOnce) {
  with_peer([](Peer* peer, Store* bucket) -> Task<void> {
    for (const auto* key : {"a", "b & c", "d"}) co_await bucket->put(key, "1");
    const auto response = co_await peer->ask({.method = "POST",
                                              .path = "/b",
                                              .query = {{"delete", ""}},
                                              .body = "<Delete><Object><Key>a</Key></Object>"
                                                      "<Object><Key>b &amp; c</Key></Object>"
                                                      "<Object><Key>../x</Key></Object></Delete>"});
    EXPECT_THAT(response.body, AllOf(HasSubstr("<Deleted><Key>b &amp; c</Key></Deleted>"),
                                     HasSubstr("<Error><Key>../x</Key>"), Not(HasSubstr("<Key>d</Key>"))));
    EXPECT_EQ((co_await bucket->list("")).objects.size(), 1U);
    EXPECT_EQ(outcome(co_await peer->ask({.method = "POST", .path = "/b", .query = {{"delete", ""}}, .body = "x"})),
              "400 MalformedXML");
  });
}

TEST(BucketServer, PassesOnWhyItsStoreFails) {
  using Method = StoreFault::Method;
  const auto store = testing::faulty(
      make_memory_store(), {{.method = Method::kCreate, .error = Error(Code::kThrottled, "later")},
                            {.method = Method::kWrite, .error = Error(Code::kForbidden, "the disk is full")},
                            {.method = Method::kList, .error = Error(Code::kInternal, "a bug")},
                            {.method = Method::kRead, .error = Error(Code::kUnavailable, "the disk is gone")}});
  with_peer(
      [](Peer* peer, Store*) -> Task<void> {
        const Ask put{.method = "PUT", .body = "1"};
        EXPECT_EQ(outcome(co_await peer->ask(put)), "503 SlowDown");
        EXPECT_EQ(outcome(co_await peer->ask(put)), "403 AccessDenied");
        EXPECT_EQ(outcome(co_await peer->ask(put)), "200");
        EXPECT_EQ(outcome(co_await peer->ask({.path = "/b"})), "500 InternalError");
        // The head of the answer is out when the disk fails: the client must see that the body is cut off.
        auto get = [](Peer* from) -> Task<void> { co_await from->ask({}); };
        EXPECT_THAT(co_await testing::failure_of(get(peer)), HasSubstr("Unavailable"));
        EXPECT_EQ((co_await peer->ask({})).body, "1");
      },
      store);
}

}  // namespace
}  // namespace mtc::blob
