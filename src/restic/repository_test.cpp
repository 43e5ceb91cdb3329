#include "restic/repository.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "blob/s3.hpp"
#include "blob/testing/faulty_store.hpp"
#include "blob/testing/test_bucket.hpp"
#include "restic/check.hpp"
#include "restic/files.hpp"
#include "restic/snapshot.hpp"
#include "restic/testing/content.hpp"

namespace mtc::restic {
namespace {

using blob::testing::StoreFault;
using testing::failure_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::noise;
using ::testing::SizeIs;
using ::testing::StartsWith;

const Secret kPassword("password");

using RepositoryPtr = std::shared_ptr<Repository>;

Task<RepositoryPtr> made(blob::StorePtr store, std::string prefix = "p", RepositoryOptions options = {}) {
  co_await Repository::create(store, prefix, kPassword);
  co_return co_await Repository::open(store, prefix, kPassword, options);
}

Task<RepositoryPtr> reopened(blob::StorePtr store, std::string prefix = "p") {
  auto repository = co_await Repository::open(store, prefix, kPassword);
  co_await repository->load_index();
  co_return repository;
}

Task<void> add(RepositoryPtr repository, std::vector<std::string> contents) {
  std::vector<Sealed> sealed;
  for (const auto& content : contents) {
    if (auto blob = repository->seal(BlobType::kData, Id::of(content), content)) sealed.push_back(std::move(*blob));
  }
  co_await repository->add(std::move(sealed));
}

Task<void> open(blob::StorePtr store, std::string password) {
  co_await Repository::open(store, "p", Secret(std::move(password)));
}
Task<void> load(RepositoryPtr repository, std::string content) {
  EXPECT_EQ(co_await repository->load(BlobType::kData, Id::of(content)), content);
}

Task<std::size_t> count(blob::StorePtr store, std::string prefix) {
  co_return (co_await store->list(prefix)).objects.size();
}

void run(Task<void> (*body)(blob::StorePtr store)) { async::Runtime().run(body(blob::make_memory_store())); }

TEST(Repository, IsMadeOnce) {
  run([](blob::StorePtr store) -> Task<void> {
    EXPECT_FALSE(co_await Repository::exists(store, "p"));
    EXPECT_THAT(co_await failure_of(open(store, "password")), StartsWith("NotFound: "));
    co_await Repository::create(store, "p", kPassword);
    EXPECT_TRUE(co_await Repository::exists(store, "p"));
    EXPECT_THAT(co_await failure_of(Repository::create(store, "p/", kPassword)), StartsWith("AlreadyExists: "));
    EXPECT_EQ(co_await failure_of(open(store, "password")), "");
    EXPECT_THAT(co_await failure_of(open(store, "other")), StartsWith("Unauthorized: "));
  });
}

TEST(Repository, AnInterruptedCreationIsCarriedOn) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto broken = blob::testing::faulty(
        store, {{.method = StoreFault::Method::kPut, .error = Error(Code::kUnavailable, "gone"), .key_prefix = "p/c"}});
    EXPECT_THAT(co_await failure_of(Repository::create(broken, "p", kPassword)), HasSubstr("gone"));
    EXPECT_FALSE(co_await Repository::exists(store, "p"));
    co_await Repository::create(store, "p", kPassword);
    // A second key of the same password would be taken first by restic, and fit nothing.
    EXPECT_EQ(co_await count(store, "p/keys/"), 1U);
    EXPECT_EQ(co_await failure_of(open(store, "password")), "");
  });
}

TEST(Repository, GivesBackWhatWasAdded) {
  run([](blob::StorePtr store) -> Task<void> {
    const std::vector<std::string> contents{"", "a", std::string(1'000'000, 'b'), noise(1'000'000)};
    const auto repository = co_await made(store);
    co_await add(repository, contents);
    co_await repository->flush();
    for (const auto& content : contents) co_await load(repository, content);
    const auto again = co_await reopened(store);
    for (const auto& content : contents) {
      EXPECT_TRUE(again->knows(BlobType::kData, Id::of(content)));
      co_await load(again, content);
    }
    EXPECT_FALSE(again->knows(BlobType::kTree, Id::of("a")));
    EXPECT_THAT(co_await failure_of(load(again, "unknown")), StartsWith("NotFound: "));
    const auto compressed = again->locate(BlobType::kData, Id::of(contents[2]));
    EXPECT_TRUE(compressed && compressed->compressed && compressed->length < 2000);
    const auto plain = again->locate(BlobType::kData, Id::of(contents[3]));
    EXPECT_TRUE(plain && !plain->compressed && plain->length == 1'000'032);
  });
}

TEST(Repository, ABlobIsSealedOnce) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto repository = co_await made(store);
    EXPECT_TRUE(repository->seal(BlobType::kData, Id::of("a"), "a"));
    EXPECT_FALSE(repository->seal(BlobType::kData, Id::of("a"), "a"));
    EXPECT_TRUE(repository->seal(BlobType::kTree, Id::of("a"), "a"));
    EXPECT_TRUE(repository->knows(BlobType::kData, Id::of("a")));
    EXPECT_EQ(repository->locate(BlobType::kData, Id::of("a")), std::nullopt);
    co_return;
  });
}

TEST(Repository, PacksAreUploadedWhenTheyAreFull) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto repository = co_await made(store, "p", {.pack_size = 100'000});
    std::vector<Task<void>> adding;
    adding.reserve(20);
    for (std::uint64_t i = 0; i < 20; ++i) adding.push_back(add(repository, {noise(60'000, i)}));
    co_await async::all(std::move(adding));
    EXPECT_EQ(co_await count(store, "p/data/"), 10U);
    EXPECT_EQ(co_await count(store, "p/index/"), 0U);
    co_await repository->flush();
    EXPECT_EQ(co_await count(store, "p/index/"), 1U);
    const auto again = co_await reopened(store);
    for (std::uint64_t i = 0; i < 20; ++i) co_await load(again, noise(60'000, i));
    EXPECT_THAT((co_await check(*again, ReadData::kYes)).listed, IsEmpty());
  });
}

TEST(Repository, AFailedUploadIsRememberedByWhoFlushes) {
  run([](blob::StorePtr store) -> Task<void> {
    co_await Repository::create(store, "p", kPassword);
    const auto broken = blob::testing::faulty(
        store,
        {{.method = StoreFault::Method::kPut, .error = Error(Code::kForbidden, "full"), .key_prefix = "p/data/"}});
    const auto repository = co_await Repository::open(broken, "p", kPassword, {.pack_size = 1000});
    EXPECT_THAT(co_await failure_of(add(repository, {noise(2000)})), HasSubstr("full"));
    // The blob is claimed, so a later one may count on it.
    EXPECT_THAT(co_await failure_of(repository->flush()), HasSubstr("full"));
    EXPECT_THAT(co_await failure_of(add(repository, {"more"})), HasSubstr("full"));
  });
}

TEST(Repository, ACancelledUploadIsRememberedToo) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto repository = co_await made(store, "p", {.pack_size = 1000});
    auto scope = co_await async::Scope::create();
    scope.spawn(add(repository, {noise(2000)}));
    co_await async::yield();
    co_await scope.cancel_and_join();
    // Either the upload had ended, or flush must not say that all is stored.
    const auto failure = co_await failure_of(repository->flush());
    if (failure.empty()) co_await load(co_await reopened(store), noise(2000));
    EXPECT_THAT(failure, ::testing::AnyOf(IsEmpty(), HasSubstr("given up")));
  });
}

TEST(Repository, WhatAPackTookWithItIsStoredAgain) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto repository = co_await made(store, "p", {.pack_size = 1000});
    for (std::uint64_t i = 0; i < 3; ++i) co_await add(repository, {noise(2000, i)});
    co_await repository->flush();
    const auto pack_of = [&](std::uint64_t i) {
      return Layout("p").file(FileType::kPack, repository->locate(BlobType::kData, Id::of(noise(2000, i)))->pack);
    };
    co_await store->remove(pack_of(0));
    co_await store->put(pack_of(1), "cut");
    const auto again = co_await reopened(store);
    EXPECT_FALSE(again->knows(BlobType::kData, Id::of(noise(2000, 0))));
    EXPECT_FALSE(again->knows(BlobType::kData, Id::of(noise(2000, 1))));
    for (std::uint64_t i = 0; i < 3; ++i) co_await add(again, {noise(2000, i)});
    co_await again->flush();
    EXPECT_EQ(co_await count(store, "p/data/"), 3U);
    for (std::uint64_t i = 0; i < 3; ++i) co_await load(co_await reopened(store), noise(2000, i));
  });
}

TEST(Repository, FullIndexesAreWrittenOnTheWay) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto repository = co_await made(store, "p", {.pack_size = 1'000'000});
    std::vector<std::string> contents(60'000);
    for (std::size_t i = 0; i < contents.size(); ++i) contents[i] = fmt::format("{}", i);
    co_await add(repository, contents);
    EXPECT_EQ(co_await count(store, "p/index/"), 1U);
    co_await repository->flush();
    EXPECT_EQ(co_await count(store, "p/index/"), 2U);
    const auto again = co_await reopened(store);
    for (const auto& content : contents) EXPECT_TRUE(again->knows(BlobType::kData, Id::of(content)));
  });
}

TEST(Repository, WorksInABucket) {
  auto use = [](blob::S3Options options) -> Task<void> {
    const auto store = blob::make_s3_store(options);
    const auto repository = co_await made(store, "velero/restic/plan/shop", {.pack_size = 6 * 1024 * 1024});
    const auto content = noise(7'000'000);
    co_await testing::store_snapshot(repository.get(), {{"file", {content, "small"}}}, {});
    const auto again = co_await reopened(store, "velero/restic/plan/shop");
    EXPECT_THAT(co_await snapshots(*again), SizeIs(1));
    co_await load(again, content);
    EXPECT_THAT((co_await check(*again, ReadData::kYes)).listed, IsEmpty());
  };
  async::Runtime().run(blob::testing::with_bucket(use));
}

}  // namespace
}  // namespace mtc::restic
