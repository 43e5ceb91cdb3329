#include "restic/check.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "restic/files.hpp"
#include "restic/repository.hpp"
#include "restic/snapshot.hpp"
#include "restic/testing/content.hpp"

// What a check finds when bytes are changed or missing.

namespace mtc::restic {
namespace {

using ::testing::Contains;
using testing::failure_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::noise;
using ::testing::StartsWith;

using RepositoryPtr = std::shared_ptr<Repository>;

Task<RepositoryPtr> open(blob::StorePtr store) { co_return co_await Repository::open(store, "", Secret("p")); }

Task<CheckReport> checked(blob::StorePtr store, ReadData read_data = ReadData::kYes) {
  const auto repository = co_await open(store);
  co_return co_await check(*repository, read_data);
}

/// A repository with two snapshots in it.
Task<blob::StorePtr> filled() {
  const auto store = blob::make_memory_store();
  co_await Repository::create(store, "", Secret("p"));
  const auto repository = co_await open(store);
  co_await testing::store_snapshot(repository.get(), {{"a", {noise(10'000), "text"}}, {"b", {"text"}}}, {});
  co_await testing::store_snapshot(repository.get(), {{"a", {noise(20'000, 2)}}}, Time{std::chrono::hours(1)});
  co_return store;
}

Task<std::string> bytes_of(blob::StorePtr store, std::string key) { co_return *co_await blob::read_all(*store, key); }

Task<std::vector<std::string>> keys(blob::StorePtr store, std::string prefix) {
  std::vector<std::string> found;
  for (const auto& object : (co_await store->list(prefix)).objects) found.push_back(object.key);
  co_return found;
}

Task<void> try_open(blob::StorePtr store) { co_await open(store); }

void run(Task<void> (*body)(blob::StorePtr store)) {
  auto with = [](Task<void> (*use)(blob::StorePtr)) -> Task<void> { co_await use(co_await filled()); };
  async::Runtime().run(with(body));
}

TEST(Check, FindsNothingInASoundRepository) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto report = co_await checked(store);
    EXPECT_TRUE(report.sound());
    EXPECT_THAT(report.listed, IsEmpty());
    EXPECT_EQ(report.snapshots, 2U);
    EXPECT_EQ(report.packs, 4U);
    EXPECT_EQ(report.blobs, 8U);
    EXPECT_EQ(report.unused, 0U);
    EXPECT_EQ(report.unindexed, 0U);
    EXPECT_GT(report.bytes, 30'000U);
    EXPECT_EQ((co_await checked(store, ReadData::kNo)).bytes, 0U);
  });
}

TEST(Check, FindsEveryChangedByteOfEveryFile) {
  run([](blob::StorePtr store) -> Task<void> {
    for (const auto& key : co_await keys(store, "")) {
      const auto sound = co_await bytes_of(store, key);
      for (std::size_t i = 0; i < 8; ++i) {
        auto changed = sound;
        const auto at = i * (sound.size() - 1) / 7;
        changed[at] = static_cast<char>(changed[at] ^ 0x10);
        co_await store->put(key, changed);
        const bool opens = key != "config" && !key.starts_with("keys/");
        if (opens) {
          EXPECT_FALSE((co_await checked(store)).sound()) << key << ", byte " << at;
        } else {
          EXPECT_THAT(co_await failure_of(try_open(store)), StartsWith("Corrupt: ")) << key << ", byte " << at;
        }
      }
      co_await store->put(key, sound);
    }
    EXPECT_TRUE((co_await checked(store)).sound());
  });
}

TEST(Check, FindsEveryFileThatIsCutOrMissing) {
  run([](blob::StorePtr store) -> Task<void> {
    for (const auto& key : co_await keys(store, "")) {
      if (key == "config" || key.starts_with("keys/")) continue;
      const auto sound = co_await bytes_of(store, key);
      co_await store->put(key, sound.substr(0, sound.size() - 1));
      EXPECT_FALSE((co_await checked(store, ReadData::kNo)).sound()) << key << " is cut";
      co_await store->remove(key);
      // Without its file nothing tells of a snapshot.
      if (!key.starts_with("snapshots/")) {
        EXPECT_FALSE((co_await checked(store, ReadData::kNo)).sound()) << key << " is missing";
      }
      co_await store->put(key, sound);
    }
  });
}

TEST(Check, NamesWhatIsDamaged) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto repository = co_await open(store);
    co_await repository->load_index();
    const auto at = repository->locate(BlobType::kData, Id::of("text"));
    const auto key = Layout("").file(FileType::kPack, at->pack);
    auto changed = co_await bytes_of(store, key);
    changed[at->offset + 20] ^= 1;
    co_await store->put(key, changed);
    EXPECT_THAT((co_await checked(store)).listed, Contains(HasSubstr(at->pack.brief())));
    EXPECT_TRUE((co_await checked(store, ReadData::kNo)).sound());  // Data is not read.
    const auto load = [](RepositoryPtr from) -> Task<void> { co_await from->load(BlobType::kData, Id::of("text")); };
    EXPECT_THAT(co_await failure_of(load(repository)), StartsWith("Corrupt: data blob " + Id::of("text").brief()));
  });
}

TEST(Check, CountsWhatIsNotUsed) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto repository = co_await open(store);
    co_await remove_snapshot(*repository, (co_await snapshots(*repository)).back().id);
    co_await repository->files().write(FileType::kPack, Id::of("left"), "left");
    const auto report = co_await checked(store);
    EXPECT_TRUE(report.sound());
    EXPECT_EQ(report.unused, 3U);
    EXPECT_EQ(report.unindexed, 1U);
  });
}

TEST(Snapshots, AreNotLeftOutWhenTheyAreDamaged) {
  run([](blob::StorePtr store) -> Task<void> {
    const auto key = (co_await keys(store, "snapshots/")).at(0);
    auto changed = co_await bytes_of(store, key);
    changed[40] ^= 1;
    co_await store->put(key, changed);
    const auto list = [](blob::StorePtr from) -> Task<void> {
      const auto repository = co_await open(from);
      co_await snapshots(*repository);
    };
    EXPECT_THAT(co_await failure_of(list(store)), StartsWith("Corrupt: read snapshot " + key.substr(10, 8)));
  });
}

}  // namespace
}  // namespace mtc::restic
