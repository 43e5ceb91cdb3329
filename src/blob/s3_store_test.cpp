#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "blob/s3.hpp"
#include "blob/testing/store_contract.hpp"
#include "blob/testing/test_bucket.hpp"
#include "http/testing/test_server.hpp"
#include "net/testing/fault_gate.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::blob {
namespace {

using namespace std::chrono_literals;
using net::testing::ends_when_cancelled;
using net::testing::Faults;
using net::testing::run;
using ::testing::AllOf;
using testing::bucket_options;
using testing::content;
using testing::failure_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::noise;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using testing::with_bucket;

Task<void> put(StorePtr store, std::string key, std::string bytes) { co_await store->put(key, bytes); }
Task<void> read(StorePtr store, std::string key) { co_await content(store.get(), key); }
Task<void> head(StorePtr store, std::string key) { co_await store->head(key); }
Task<void> list(StorePtr store) { co_await store->list(""); }
Task<void> remove(StorePtr store, std::string key) { co_await store->remove(key); }
Task<void> write(StorePtr store, std::string key, std::string bytes) {
  const auto writer = co_await store->create(key);
  co_await writer->write(bytes);
  co_await writer->commit();
}

Task<std::string> probe_failure(S3Options options) {
  auto attempt = [](StorePtr store) -> Task<void> { co_await probe(*store, "", "unique"); };
  co_return co_await failure_of(attempt(make_s3_store(std::move(options))));
}

S3Options through(S3Options options, std::vector<Faults> by_connection) {
  options.connector = net::testing::faulty_connector(net::tcp_connector(), std::move(by_connection));
  return options;
}

/// A server that answers with what `script` says, and the options of a client for it.
Task<void> with_scripted_store(std::function<http::Response(http::ServerRequest&)> script,
                               std::function<Task<void>(S3Options)> use) {
  auto handler = [script](http::ServerRequest& request, http::ResponseWriter& writer) {
    auto answer = [](std::function<http::Response(http::ServerRequest&)> make, http::ServerRequest* to,
                     http::ResponseWriter* out) -> Task<void> {
      co_await to->body(64 * 1024 * 1024);
      co_await out->respond(make(*to));
    };
    return answer(script, &request, &writer);
  };
  return http::testing::with_server(handler, [use](http::Url url) { return use(testing::client_of(url.str())); });
}

http::Response s3_refusal(int status, std::string_view code) {
  return {status, "", {}, fmt::format("<Error><Code>{}</Code><Message>m</Message></Error>", code)};
}

TEST(S3Store, SaysWhatIsWrongWhereAndWhatToDo) {
  run(with_bucket([](S3Options good) -> Task<void> {
    auto options = good;
    options.secret_access_key = Secret("wrong");
    EXPECT_THAT(co_await probe_failure(options),
                AllOf(StartsWith("Unauthorized: try to write: write unique in bucket b at " + good.endpoint),
                      HasSubstr("SignatureDoesNotMatch"), HasSubstr("correct aws-secret-access-key")));
    options = good;
    options.access_key_id = "nobody";
    EXPECT_THAT(co_await probe_failure(options), HasSubstr("correct aws-access-key-id"));
    options = good;
    options.bucket = "absent";
    EXPECT_THAT(co_await probe_failure(options),
                AllOf(StartsWith("NotFound: "), HasSubstr("create the bucket, or correct its name")));
    options = good;
    options.region = "eu-north-1";
    EXPECT_THAT(co_await probe_failure(options), HasSubstr("correct the region (it asks for region us-east-1)"));
  }));
}

TEST(S3Store, SaysWhatToCheckWhenNobodyAnswers) {
  S3Options options;
  options.bucket = "b";
  options.endpoint = "http://127.0.0.1:1";
  options.max_attempts = 1;
  options.connector = net::tcp_connector();
  run([](S3Options with) -> Task<void> {
    EXPECT_THAT(co_await probe_failure(with), AllOf(StartsWith("Unavailable: try to write: write unique in bucket"),
                                                    HasSubstr("does the store run")));
  }(options));
}

TEST(S3Store, AnAbsentBucketIsNotTakenForAnAbsentKey) {
  run(with_bucket([](S3Options options) -> Task<void> {
    options.bucket = "absent";
    const auto store = make_s3_store(options);
    EXPECT_THAT(co_await failure_of(head(store, "a")),
                AllOf(StartsWith("NotFound: bucket absent at"), HasSubstr("create the bucket")));
    EXPECT_THAT(co_await failure_of(read(store, "a")), StartsWith("NotFound: read a in bucket absent"));
    EXPECT_THAT(co_await failure_of(list(store)), StartsWith("NotFound: list objects in bucket absent"));
    EXPECT_THAT(co_await failure_of(remove(store, "a")), StartsWith("NotFound: "));
  }));
}

TEST(S3Store, RefusesOptionsThatNameNoBucket) {
  const auto failure = [](std::string bucket, std::string endpoint) -> std::string {
    S3Options options;
    options.bucket = std::move(bucket);
    options.endpoint = std::move(endpoint);
    try {
      make_s3_store(std::move(options));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(failure("", "http://h"), HasSubstr("cannot be the name of a bucket"));
  EXPECT_THAT(failure("a/b", "http://h"), HasSubstr("cannot be the name of a bucket"));
  EXPECT_THAT(failure("b", "http://h/b"), HasSubstr("the endpoint http://h/b has a path"));
  EXPECT_THAT(failure("b", "minio:9000"), Not(IsEmpty()));
  EXPECT_EQ(failure("b", "http://h:9000/"), "");
}

TEST(S3Store, TriesAgainWhatBrokeOnTheWay) {
  run(with_bucket([](S3Options options) -> Task<void> {
    const auto store = make_s3_store(through(options, {{.reset_read_after = 0}}));
    co_await store->put("a", "1");
    EXPECT_EQ(co_await content(store.get(), "a"), "1");
  }));
}

TEST(S3Store, ReadsOnWhereTheConnectionBroke) {
  run(with_bucket([](S3Options options) -> Task<void> {
    const auto bytes = noise(1'000'000);
    co_await make_s3_store(options)->put("a", bytes);
    options.request_limit = 100ms;
    const std::vector<Faults> breaks = {
        {.reset_read_after = 300'000}, {.close_read_after = 300'000}, {.stall_read_after = 300'000}};
    const auto store = make_s3_store(through(options, breaks));
    EXPECT_TRUE(co_await content(store.get(), "a") == bytes);
    const auto again = make_s3_store(through(options, breaks));
    EXPECT_TRUE(co_await content(again.get(), "a", {10, 999'000}) == bytes.substr(10, 999'000));
  }));
}

TEST(S3Store, GivesUpOnABodyThatNeverComesWhole) {
  run(with_bucket([](S3Options options) -> Task<void> {
    co_await make_s3_store(options)->put("a", noise(1'000'000));
    const auto store = make_s3_store(
        through(options, {{.reset_read_after = 300'000}, {.reset_read_after = 100}, {.reset_read_after = 100}}));
    EXPECT_THAT(co_await failure_of(read(store, "a")), StartsWith("Unavailable: read a in bucket b at "));
  }));
}

TEST(S3Store, DoesNotMixTwoVersionsOfAnObject) {
  run(with_bucket([](S3Options options) -> Task<void> {
    const auto other = make_s3_store(options);
    co_await other->put("a", noise(1'000'000, 1));
    const auto store = make_s3_store(through(options, {{.reset_read_after = 300'000}}));
    const auto reader = co_await store->open("a");
    co_await reader->read();
    co_await other->put("a", noise(1'000'000, 2));
    auto rest = [](Reader* from) -> Task<void> {
      while (!(co_await from->read()).empty()) {
      }
    };
    EXPECT_THAT(co_await failure_of(rest(reader.get())), HasSubstr("PreconditionFailed"));
  }));
}

TEST(S3Store, APartThatWasCutOffIsSentAgain) {
  run(with_bucket([](S3Options options) -> Task<void> {
    const auto bytes = noise(12'000'000);
    const auto store = make_s3_store(through(options, {{.reset_write_after = 7'000'000}}));
    co_await write(store, "a", bytes);
    EXPECT_TRUE(co_await content(store.get(), "a") == bytes);
  }));
}

TEST(S3Store, AbortsADroppedUploadWithTheNextOne) {
  const auto parts = make_memory_store();
  auto server = bucket_options();
  server.parts = parts;
  run(with_bucket(
      [parts](this auto, S3Options options) -> Task<void> {
        const auto store = make_s3_store(options);
        {
          const auto dropped = co_await store->create("a");
          co_await dropped->write(noise(6'000'000));
        }
        EXPECT_THAT((co_await parts->list("")).objects, SizeIs(1));
        co_await store->create("b");
        EXPECT_THAT((co_await parts->list("")).objects, IsEmpty());
        const auto aborted = co_await store->create("a");
        co_await aborted->write(noise(6'000'000));
        co_await aborted->abort();
        EXPECT_THAT((co_await parts->list("")).objects, IsEmpty());
      },
      server));
}

TEST(S3Store, AStoreThatHangsIsGivenUp) {
  run(with_bucket([](S3Options options) -> Task<void> {
    options.request_limit = 20ms;
    options = through(options, {{.stall_read_after = 0}, {.stall_read_after = 0}});
    EXPECT_THAT(co_await probe_failure(options), AllOf(StartsWith("Timeout: try to write: "),
                                                       HasSubstr("no answer within 20 ms"), HasSubstr("firewall")));
  }));
}

TEST(S3Store, ACallThatHangsCanBeCancelled) {
  run(with_bucket([](S3Options options) -> Task<void> {
    const auto store = make_s3_store(through(options, {{.stall_read_after = 0}}));
    EXPECT_TRUE(co_await ends_when_cancelled(head(store, "a")));
  }));
}

TEST(S3Store, WaitsOutWhatPassesByItself) {
  int asked = 0;
  run(with_scripted_store(
      [&](http::ServerRequest&) {
        return ++asked == 1 ? s3_refusal(500, "InternalError") : http::Response{200, "", {{"ETag", "\"e\""}}, ""};
      },
      [](S3Options options) -> Task<void> { EXPECT_EQ((co_await make_s3_store(options)->put("a", "1")).etag, "e"); }));
  EXPECT_EQ(asked, 2);
}

TEST(S3Store, DoesNotRepeatWhatIsRefusedForGood) {
  int asked = 0;
  run(with_scripted_store(
      [&](http::ServerRequest&) {
        ++asked;
        return s3_refusal(403, "AccessDenied");
      },
      [](S3Options options) -> Task<void> {
        EXPECT_THAT(co_await failure_of(put(make_s3_store(options), "a", "1")),
                    AllOf(StartsWith("Forbidden: write a in bucket b"), HasSubstr("correct its policy")));
      }));
  EXPECT_EQ(asked, 1);
}

TEST(S3Store, SaysThatTheStoreIsBusyWhenItStaysSo) {
  run(with_scripted_store([](http::ServerRequest&) { return s3_refusal(503, "SlowDown"); },
                          [](S3Options options) -> Task<void> {
                            const auto store = make_s3_store(options);
                            EXPECT_THAT(co_await failure_of(put(store, "a", "1")), StartsWith("Throttled: write a"));
                            EXPECT_THAT(co_await failure_of(read(store, "a")), StartsWith("Throttled: read a"));
                          }));
}

TEST(S3Store, KnowsAServerThatIsNoStore) {
  run(with_scripted_store([](http::ServerRequest&) { return http::Response{200, "", {}, "<html>Welcome"}; },
                          [](S3Options options) -> Task<void> {
                            EXPECT_THAT(co_await failure_of(list(make_s3_store(options))),
                                        AllOf(StartsWith("Unsupported: bucket b at"), HasSubstr("an S3 endpoint?")));
                          }));
}

TEST(S3Store, DoesNotTakeAWholeObjectForAPart) {
  run(with_scripted_store([](http::ServerRequest&) { return http::Response{200, "", {}, "whole"}; },
                          [](S3Options options) -> Task<void> {
                            auto open = [](StorePtr store) -> Task<void> { co_await store->open("a", {3, 1}); };
                            EXPECT_THAT(co_await failure_of(open(make_s3_store(options))),
                                        HasSubstr("sends whole objects where a part is asked"));
                          }));
}

/// A store whose completions of uploads answer with `completions`, one after the other.
Task<std::string> completion_failure(std::vector<http::Response> completions) {
  std::size_t completed = 0;
  std::string failure;
  auto script = [&](http::ServerRequest& request) -> http::Response {
    if (request.method == "HEAD") return {200, "", {{"Content-Length", "6000000"}, {"ETag", "\"x-2\""}}, ""};
    if (request.method == "PUT") return {200, "", {{"ETag", "\"p\""}}, ""};
    if (request.method == "DELETE") return {204, "", {}, ""};
    if (request.param("uploadId").empty()) return {200, "", {}, "<A><UploadId>u</UploadId></A>"};
    return completions.at(completed++);
  };
  auto use = [&failure](S3Options options) {
    auto call = [](S3Options with, std::string* out) -> Task<void> {
      *out = co_await failure_of(write(make_s3_store(with), "a", noise(6'000'000)));
    };
    return call(std::move(options), &failure);
  };
  co_await with_scripted_store(script, use);
  co_return failure;
}

TEST(S3Store, AnUploadIsCompleteWhenTheAnswerThatSaidSoWasLost) {
  run([]() -> Task<void> {
    EXPECT_EQ(co_await completion_failure({s3_refusal(500, "InternalError"), s3_refusal(404, "NoSuchUpload")}), "");
  }());
}

TEST(S3Store, BelievesTheBodyOfACompletionNotItsStatus) {
  run([]() -> Task<void> {
    EXPECT_THAT(co_await completion_failure({s3_refusal(200, "InternalError"), s3_refusal(200, "InternalError")}),
                StartsWith("Unavailable: complete the upload of a in bucket b"));
    EXPECT_EQ(co_await completion_failure({s3_refusal(200, "InternalError"),
                                           {200,
                                            "",
                                            {},
                                            "<CompleteMultipartUploadResult><ETag>e</ETag>"
                                            "</CompleteMultipartUploadResult>"}}),
              "");
  }());
}

TEST(S3Store, SignsTheHashOfBodiesThatTlsDoesNotProtect) {
  std::string hash;
  run(with_scripted_store(
      [&](http::ServerRequest& request) {
        hash = request.headers.get("x-amz-content-sha256");
        return http::Response{};
      },
      [](S3Options options) -> Task<void> { co_await make_s3_store(options)->put("a", "1"); }));
  EXPECT_EQ(hash, "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b");
}

}  // namespace
}  // namespace mtc::blob
