#include <cstdlib>
#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/rng.hpp"
#include "blob/bucket_server.hpp"
#include "blob/s3.hpp"
#include "blob/sigv4.hpp"
#include "blob/store.hpp"
#include "net/testing/fault_gate.hpp"

namespace mtc::blob {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void run(Task<void> body) { async::Runtime().run(std::move(body)); }

Task<std::string> failure_of(Task<void> task) {
  std::string text;
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    text = std::string(to_string(error.code())) + ": " + error.what();
  }
  co_return text;
}

// ---- Signatures: the examples of the S3 documentation (sig-v4-header-based-auth, sigv4-query-string-auth).

const SigningKey kExampleKey{"AKIAIOSFODNN7EXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), "us-east-1"};
const Time kExampleTime = *parse_rfc3339("2013-05-24T00:00:00Z");

std::string signed_example(std::string_view method, std::string_view path, const http::Query& query,
                           http::Headers headers, std::string_view body) {
  headers.set("Host", "examplebucket.s3.amazonaws.com");
  sign(headers, method, path, query, hex(sha256(body)), kExampleKey, kExampleTime);
  const auto header = std::string(headers.get("Authorization"));
  return header.substr(header.find("Signature=") + 10);
}

TEST(SigV4, MatchesThePublishedExamples) {
  EXPECT_EQ(signed_example("GET", "/test.txt", {}, {{"Range", "bytes=0-9"}}, ""),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(signed_example("PUT", "/test%24file.text", {},
                           {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                           "Welcome to Amazon S3."),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(signed_example("GET", "/", {{"lifecycle", ""}}, {}, ""),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(signed_example("GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}, ""),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
  EXPECT_THAT(presign("GET", "examplebucket.s3.amazonaws.com", "/test.txt", {}, kExampleKey, kExampleTime,
                      std::chrono::hours(24)),
              HasSubstr("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"));
}

// ---- One contract for every store.

Task<std::string> content(Store* store, std::string key, Range range = {}) {
  const auto reader = co_await store->open(std::move(key), range);
  std::string all;
  for (auto piece = co_await reader->read(); !piece.empty(); piece = co_await reader->read()) all += piece;
  co_return all;
}

Task<void> objects_come_back(Store* store, std::string at) {
  EXPECT_EQ(co_await store->head(at + "a"), std::nullopt);
  EXPECT_EQ(co_await store->open(at + "a"), nullptr);
  co_await store->put(at + "a", "0123456789");
  EXPECT_EQ((co_await store->head(at + "a"))->size, 10u);
  EXPECT_EQ(co_await content(store, at + "a"), "0123456789");
  EXPECT_EQ(co_await content(store, at + "a", {3, 4}), "3456");
  EXPECT_EQ(co_await content(store, at + "a", {8, std::nullopt}), "89");
  EXPECT_EQ(co_await content(store, at + "a", {8, 100}), "89");
  co_await store->put(at + "a", "");
  EXPECT_EQ(co_await content(store, at + "a"), "");
  co_await store->remove(at + "a");
  co_await store->remove(at + "a");
  EXPECT_EQ(co_await store->head(at + "a"), std::nullopt);
}

Task<void> keys_may_hold_anything(Store* store, std::string at) {
  for (const auto* name : {"blank key", "plus+and&amp=;", "ünïcödé", "percent%41", "deep/er/key", "quote\"<x>"}) {
    co_await store->put(at + name, name);
    EXPECT_EQ(co_await content(store, at + name), name);
  }
  std::vector<std::string> keys;
  const auto page = co_await store->list(at);
  for (const auto& object : page.objects) keys.push_back(object.key.substr(at.size()));
  EXPECT_THAT(keys, ElementsAre("blank key", "deep/er/key", "percent%41", "plus+and&amp=;", "quote\"<x>", "ünïcödé"));
  for (const std::string& bad : {std::string(), std::string("a/../b"), std::string("./a"), std::string(1025, 'x')}) {
    auto put = [](Store* s, std::string key) -> Task<void> { co_await s->put(key, "x"); };
    EXPECT_THAT(co_await failure_of(put(store, bad)), HasSubstr("Invalid"));
  }
}

Task<void> listings_have_levels(Store* store, std::string at) {
  for (const auto* name : {"x/1", "x/2", "y/1", "z"}) co_await store->put(at + name, "1");
  const auto page = co_await store->list(at, "/");
  EXPECT_THAT(page.prefixes, ElementsAre(at + "x/", at + "y/"));
  EXPECT_EQ(page.objects.size(), 1u);
  EXPECT_EQ(page.objects.at(0).key, at + "z");
  co_await remove_prefix(*store, at);
  EXPECT_TRUE((co_await store->list(at)).objects.empty());
}

Task<void> nothing_shows_before_commit(Store* store, std::string at) {
  {
    const auto dropped = co_await store->create(at + "dropped");
    co_await dropped->write("half");
    co_await dropped->abort();
  }
  EXPECT_EQ(co_await store->head(at + "dropped"), std::nullopt);
  const auto writer = co_await store->create(at + "big");
  SeededRng rng(1);
  std::string piece(1024 * 1024, '\0');
  for (auto& c : piece) c = static_cast<char>(rng.next());
  Sha256 sum;
  for (int i = 0; i < 13; ++i) {
    piece[0] = static_cast<char>(i);
    co_await writer->write(piece);
    sum.update(piece);
  }
  EXPECT_EQ(co_await store->head(at + "big"), std::nullopt);
  const auto info = co_await writer->commit();
  EXPECT_EQ(info.size, 13u * 1024 * 1024);
  EXPECT_EQ(hex(sha256(co_await content(store, at + "big"))), hex(sum.finish()));
  co_await store->remove(at + "big");
}

Task<void> long_listings_are_paged(Store* store, std::string at) {
  for (int i = 0; i < 1005; ++i) co_await store->put(at + std::to_string(100'000 + i), "");
  const auto first = co_await store->list(at);
  EXPECT_EQ(first.objects.size(), 1000u);
  EXPECT_FALSE(first.next.empty());
  const auto rest = co_await store->list(at, "", first.next);
  EXPECT_EQ(rest.objects.size(), 5u);
  EXPECT_TRUE(rest.next.empty());
  co_await remove_prefix(*store, at);
}

Task<void> keep_the_contract(Store* store, std::string at) {
  co_await objects_come_back(store, at + "objects/");
  co_await keys_may_hold_anything(store, at + "keys/");
  co_await listings_have_levels(store, at + "levels/");
  co_await nothing_shows_before_commit(store, at + "commit/");
  co_await long_listings_are_paged(store, at + "pages/");
  co_await probe(*store, at + "probe", "unique");
  co_await remove_prefix(*store, at);
}

BucketServerOptions server_options() {
  BucketServerOptions options;
  options.access_key_id = "key";
  options.secret_access_key = Secret("secret");
  options.buckets["b"] = make_memory_store();
  return options;
}

S3Options client_options(const std::string& url) {
  S3Options options;
  options.bucket = "b";
  options.endpoint = url;
  options.style = AddressingStyle::kPath;
  options.access_key_id = "key";
  options.secret_access_key = Secret("secret");
  options.part_size = 5 * 1024 * 1024;
  options.max_attempts = 2;
  return options;
}

Task<void> with_bucket(std::function<Task<void>(S3Options)> use) {
  const auto server = co_await BucketServer::start(server_options());
  std::exception_ptr failure;
  try {
    co_await use(client_options(server->url()));
  } catch (...) {
    failure = std::current_exception();
  }
  co_await server->stop();
  if (failure) std::rethrow_exception(failure);
}

TEST(StoreContract, Memory) {
  const auto store = make_memory_store();
  run(keep_the_contract(store.get(), "test/"));
}

TEST(StoreContract, Directory) {
  const auto folder = std::filesystem::temp_directory_path() / ("mtc-store-" + name_suffix(system_rng(), 10));
  const auto store = make_directory_store(folder.string());
  run(keep_the_contract(store.get(), "test/"));
  std::filesystem::remove_all(folder);
}

TEST(StoreContract, S3OverTheEmbeddedBucket) {
  run(with_bucket([](S3Options options) -> Task<void> {
    const auto store = make_s3_store(options);
    co_await keep_the_contract(store.get(), "test/");
  }));
}

TEST(StoreContract, S3OverARealStore) {
  const char* endpoint = std::getenv("S3_ENDPOINT");
  if (endpoint == nullptr) GTEST_SKIP() << "S3_ENDPOINT names no store; `make lab-test` sets it";
  auto options = client_options(endpoint);
  options.bucket = std::getenv("S3_BUCKET");
  options.access_key_id = std::getenv("S3_KEY");
  options.secret_access_key = Secret(std::getenv("S3_SECRET"));
  const auto store = make_s3_store(options);
  run(keep_the_contract(store.get(), "contract-" + name_suffix(system_rng()) + "/"));
}

TEST(DirectoryStore, LinksDoNotLeadOut) {
  const auto folder = std::filesystem::temp_directory_path() / ("mtc-store-" + name_suffix(system_rng(), 10));
  const auto store = make_directory_store(folder.string());
  std::filesystem::create_directory_symlink("/etc", folder / "out");
  run([](Store* s) -> Task<void> { EXPECT_EQ(co_await s->open("out/passwd"), nullptr); }(store.get()));
  std::filesystem::remove_all(folder);
}

// ---- What a user reads when a bucket does not work.

Task<std::string> probe_failure(S3Options options) {
  auto attempt = [](S3Options with) -> Task<void> {
    const auto store = make_s3_store(with);
    co_await probe(*store, "", "unique");
  };
  co_return co_await failure_of(attempt(std::move(options)));
}

TEST(S3, SaysWhatIsWrongAndWhatToDo) {
  run(with_bucket([](S3Options good) -> Task<void> {
    auto options = good;
    options.secret_access_key = Secret("wrong");
    EXPECT_THAT(co_await probe_failure(options), HasSubstr("SignatureDoesNotMatch"));
    EXPECT_THAT(co_await probe_failure(options), HasSubstr("correct aws-secret-access-key"));
    options = good;
    options.access_key_id = "nobody";
    EXPECT_THAT(co_await probe_failure(options),
                HasSubstr("Unauthorized: write a test object to bucket b at " + good.endpoint));
    options = good;
    options.bucket = "absent";
    EXPECT_THAT(co_await probe_failure(options), HasSubstr("NoSuchBucket"));
    options = good;
    options.region = "eu-north-1";
    EXPECT_THAT(co_await probe_failure(options), HasSubstr("(it asks for us-east-1)"));
    options = good;
    options.endpoint = "http://127.0.0.1:1";
    EXPECT_THAT(co_await probe_failure(options), HasSubstr("Connection refused"));
  }));
}

TEST(S3, TriesAgainWhatBrokeOnTheWay) {
  run(with_bucket([](S3Options options) -> Task<void> {
    options.connector = net::testing::faulty_connector(net::tcp_connector(), {{.reset_read_after = 0}});
    const auto store = make_s3_store(options);
    co_await store->put("a", "1");
    EXPECT_EQ(co_await content(store.get(), "a"), "1");
  }));
}

TEST(S3, GivesUpOnAStoreThatHangs) {
  run(with_bucket([](S3Options options) -> Task<void> {
    options.connector =
        net::testing::faulty_connector(net::tcp_connector(), {{.stall_read_after = 0}, {.stall_read_after = 0}});
    options.request_limit = std::chrono::milliseconds(20);
    EXPECT_THAT(co_await probe_failure(options), HasSubstr("no answer within 20 ms"));
  }));
}

}  // namespace
}  // namespace mtc::blob
