#include "restic/prune.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "blob/testing/faulty_store.hpp"
#include "restic/check.hpp"
#include "restic/files.hpp"
#include "restic/repository.hpp"
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

using RepositoryPtr = std::shared_ptr<Repository>;

Task<RepositoryPtr> open(blob::StorePtr store) {
  const auto repository = co_await Repository::open(store, "", Secret("p"));
  co_await repository->load_index();
  co_return repository;
}

constexpr std::size_t kSnapshots = 4;

/// Of each piece the first snapshot has all, the second all but one, and so on; another host has one of its own.
Task<blob::StorePtr> filled() {
  const auto store = blob::make_memory_store();
  co_await Repository::create(store, "", Secret("p"));
  const auto repository = co_await open(store);
  for (std::size_t i = 0; i < kSnapshots; ++i) {
    std::vector<testing::FileContent> files;
    for (std::uint64_t seed = i; seed < 6; ++seed) files.push_back({"file", {noise(5000, seed)}});
    const Time time{std::chrono::hours(i)};
    co_await testing::store_snapshot(repository.get(), files, time);
  }
  co_await testing::store_snapshot(repository.get(), {{"other", {noise(5000, 100)}}}, {}, "other");
  co_return store;
}

Task<void> prune(blob::StorePtr store, Keep keep, PruneReport* report = nullptr) {
  auto done = co_await forget_and_prune(co_await open(store), keep);
  if (report != nullptr) *report = std::move(done);
}

/// Expects that all that the newest snapshots need is there.
Task<void> expect_sound(blob::StorePtr store) {
  const auto repository = co_await open(store);
  EXPECT_THAT((co_await check(*repository, ReadData::kYes)).listed, IsEmpty());
  for (std::uint64_t seed = kSnapshots - 1; seed < 6; ++seed) {
    EXPECT_EQ(co_await repository->load(BlobType::kData, Id::of(noise(5000, seed))), noise(5000, seed));
  }
}

void run(Task<void> (*body)(blob::StorePtr store)) {
  auto with = [](Task<void> (*use)(blob::StorePtr)) -> Task<void> { co_await use(co_await filled()); };
  async::Runtime().run(with(body));
}

TEST(Prune, KeepsTheNewestOfEachHostAndNothingElse) {
  run([](blob::StorePtr store) -> Task<void> {
    PruneReport report;
    co_await prune(store, {.last = 1}, &report);
    EXPECT_THAT(report.forgotten, SizeIs(3));
    EXPECT_GT(report.removed_packs, 0U);
    EXPECT_GT(report.repacked_blobs, 0U);
    EXPECT_GT(report.freed_bytes, 15'000U);
    co_await expect_sound(store);
    const auto repository = co_await open(store);
    EXPECT_THAT(co_await snapshots(*repository), SizeIs(2));
    const auto after = co_await check(*repository, ReadData::kNo);
    EXPECT_EQ(after.unused, 0U);
    EXPECT_EQ(after.unindexed, 0U);
    EXPECT_FALSE(repository->knows(BlobType::kData, Id::of(noise(5000, 0))));
    // A second one finds nothing to do.
    co_await prune(store, {.last = 1}, &report);
    EXPECT_THAT(report.forgotten, IsEmpty());
    EXPECT_EQ(report.removed_packs, 0U);
    EXPECT_EQ(report.repacked_blobs, 0U);
  });
}

TEST(Prune, ForgetsOnlyTheSnapshotsOfItsHost) {
  run([](blob::StorePtr store) -> Task<void> {
    PruneReport report;
    co_await prune(store, {.host = "shop", .last = 2}, &report);
    EXPECT_THAT(report.forgotten, SizeIs(2));
    co_await prune(store, {.host = "unknown", .last = 0}, &report);
    EXPECT_THAT(report.forgotten, IsEmpty());
    co_await prune(store, {.host = "other", .last = 0}, &report);
    EXPECT_THAT(report.forgotten, SizeIs(1));
    co_await expect_sound(store);
  });
}

TEST(Prune, MayBeKilledAtEveryWrite) {
  const auto body = []() -> Task<void> {
    for (const auto method : {StoreFault::Method::kPut, StoreFault::Method::kRemove}) {
      for (unsigned after = 0;; ++after) {
        const auto store = co_await filled();
        const Error killed(Code::kUnavailable, "killed");
        // Everything from that call on fails, as for a process that is gone.
        std::vector<StoreFault> faults;
        faults.push_back({.method = method, .error = killed, .after = after, .times = 1'000'000});
        const auto failure = co_await failure_of(prune(blob::testing::faulty(store, faults), {.last = 1}));
        co_await expect_sound(store);
        if (failure.empty()) break;
        EXPECT_THAT(failure, HasSubstr("killed"));
        co_await prune(store, {.last = 1});
        co_await expect_sound(store);
        const auto repository = co_await open(store);
        const auto report = co_await check(*repository, ReadData::kNo);
        EXPECT_EQ(report.unindexed + report.unused, 0U);
      }
    }
  };
  async::Runtime().run(body());
}

TEST(Prune, RemovesNothingIfASnapshotThatStaysIsDamaged) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto repository = co_await open(store);
    const auto kept = repository->locate(BlobType::kTree, (co_await snapshots(*repository)).back().tree);
    const auto key = Layout("").file(FileType::kPack, kept->pack);
    auto changed = *co_await blob::read_all(*store, key);
    changed[kept->offset + 20] ^= 1;
    co_await store->put(key, changed);
    const auto before = (co_await store->list("")).objects.size();
    EXPECT_THAT(co_await failure_of(prune(store, {.last = 1})), StartsWith("Corrupt: "));
    EXPECT_EQ((co_await store->list("")).objects.size(), before);
  });
}

TEST(Prune, ForgetsAPackThatWasReplaced) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto needed = (co_await open(store))->locate(BlobType::kData, Id::of(noise(5000, 5)));
    co_await store->remove(Layout("").file(FileType::kPack, needed->pack));
    const auto repository = co_await open(store);
    std::vector<testing::FileContent> again;
    again.reserve(6);
    for (std::uint64_t seed = 0; seed < 6; ++seed) again.push_back({"file", {noise(5000, seed)}});
    co_await testing::store_tree(repository.get(), again);
    EXPECT_FALSE((co_await check(*repository, ReadData::kNo)).sound());
    co_await prune(store, {.last = 1});
    co_await expect_sound(store);
  });
}

TEST(Prune, RemovesNothingIfAPackThatIsNeededIsMissing) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto repository = co_await open(store);
    const auto needed = repository->locate(BlobType::kData, Id::of(noise(5000, 5)));
    co_await store->remove(Layout("").file(FileType::kPack, needed->pack));
    const auto before = (co_await store->list("")).objects.size();
    EXPECT_THAT(co_await failure_of(prune(store, {.last = 1})), HasSubstr("nothing is pruned"));
    EXPECT_EQ((co_await store->list("")).objects.size(), before);
  });
}

}  // namespace
}  // namespace mtc::restic
