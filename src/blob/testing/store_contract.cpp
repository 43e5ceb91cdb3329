#include "blob/testing/store_contract.hpp"

#include <array>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"

namespace mtc::blob::testing {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Task<std::string> content(Store* store, std::string key, Range range) {
  const auto reader = co_await store->open(key, range);
  if (!reader) {
    ADD_FAILURE() << key << " is absent";
    co_return "";
  }
  std::string all;
  for (auto piece = co_await reader->read(); !piece.empty(); piece = co_await reader->read()) all += piece;
  co_return all;
}

Task<std::string> failure_of(Task<void> task) {
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    co_return std::string(to_string(error.code())) + ": " + error.what();
  }
  co_return "";
}

std::string noise(std::size_t size, std::uint64_t seed) {
  SeededRng rng(seed);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(rng.next());
  return bytes;
}

namespace {

Task<void> put(Store* store, std::string key, std::string bytes) { co_await store->put(key, bytes); }
Task<void> open_range(Store* store, std::string key, Range range) { co_await store->open(key, range); }

Task<std::vector<std::string>> keys_below(Store* store, std::string prefix) {
  std::vector<std::string> keys;
  std::string next;
  do {
    const auto page = co_await store->list(prefix, "", next);
    for (const auto& object : page.objects) keys.push_back(object.key.substr(prefix.size()));
    next = page.next;
  } while (!next.empty());
  co_return keys;
}

}  // namespace

void StoreContract::check(Clause* clause) {
  if (!GetParam().skipped.empty()) GTEST_SKIP() << GetParam().skipped;
  auto use = [clause](Store* store) -> Task<void> {
    const auto at = "contract-" + name_suffix(system_rng(), 10) + "/";
    auto run = [](Clause* with, Store* of, std::string prefix) -> Task<void> {
      co_await with(of, prefix);
      co_await remove_prefix(*of, prefix);
    };
    return run(clause, store, at);
  };
  async::Runtime().run(GetParam().with_store(use));
}

TEST_P(StoreContract, WhatIsWrittenCanBeRead) {
  check([](Store* store, std::string at) -> Task<void> {
    const auto bytes = noise(700'000);
    EXPECT_EQ((co_await store->put(at + "a", bytes)).size, bytes.size());
    EXPECT_TRUE(co_await content(store, at + "a") == bytes);
    EXPECT_EQ(co_await read_all(*store, at + "a"), bytes);
    co_await store->put(at + "a", "other");
    EXPECT_EQ(co_await content(store, at + "a"), "other");
    co_await store->put(at + "a", "");
    EXPECT_EQ(co_await content(store, at + "a"), "");
  });
}

TEST_P(StoreContract, AnAbsentObjectIsNoError) {
  check([](Store* store, std::string at) -> Task<void> {
    EXPECT_EQ(co_await store->head(at + "a"), std::nullopt);
    EXPECT_EQ(co_await store->open(at + "a"), nullptr);
    EXPECT_EQ(co_await store->open(at + "a", {3, 0}), nullptr);
    EXPECT_EQ(co_await read_all(*store, at + "a"), std::nullopt);
    co_await store->remove(at + "a");
    co_await store->put(at + "a", "1");
    EXPECT_EQ(co_await store->head(at + "a/b"), std::nullopt);
    EXPECT_EQ(co_await store->open(at + "a/b"), nullptr);
    co_await store->remove(at + "a/b");
    EXPECT_EQ(co_await content(store, at + "a"), "1");
  });
}

TEST_P(StoreContract, HeadAndReaderDescribeTheObject) {
  check([](Store* store, std::string at) -> Task<void> {
    const auto before = system_clock().now() - std::chrono::minutes(5);
    co_await store->put(at + "a", "0123456789");
    const auto head = co_await store->head(at + "a");
    EXPECT_EQ(head->key, at + "a");
    EXPECT_EQ(head->size, 10U);
    EXPECT_FALSE(head->etag.empty());
    EXPECT_GT(head->modified, before);
    const auto reader = co_await store->open(at + "a", {2, 3});
    EXPECT_EQ(reader->info().size, 10U);
    EXPECT_EQ(reader->info().etag, head->etag);
    const auto page = co_await store->list(at);
    EXPECT_EQ(page.objects.at(0).size, 10U);
    EXPECT_EQ(page.objects.at(0).etag, head->etag);
    EXPECT_GT(page.objects.at(0).modified, before);
  });
}

TEST_P(StoreContract, RangesAreCutAtTheEnd) {
  check([](Store* store, std::string at) -> Task<void> {
    co_await store->put(at + "a", "0123456789");
    EXPECT_EQ(co_await content(store, at + "a", {3, 4}), "3456");
    EXPECT_EQ(co_await content(store, at + "a", {0, 1}), "0");
    EXPECT_EQ(co_await content(store, at + "a", {8, std::nullopt}), "89");
    EXPECT_EQ(co_await content(store, at + "a", {8, 100}), "89");
    EXPECT_EQ(co_await content(store, at + "a", {4, 0}), "");
    EXPECT_THAT(co_await failure_of(open_range(store, at + "a", {10, std::nullopt})), StartsWith("Invalid: "));
    EXPECT_THAT(co_await failure_of(open_range(store, at + "a", {11, 1})), StartsWith("Invalid: "));
    EXPECT_THAT(co_await failure_of(open_range(store, at + "a", {11, 0})), StartsWith("Invalid: "));
    co_await store->put(at + "empty", "");
    EXPECT_EQ(co_await content(store, at + "empty", {0, 4}), "");
    EXPECT_THAT(co_await failure_of(open_range(store, at + "empty", {1, 4})), StartsWith("Invalid: "));
  });
}

TEST_P(StoreContract, KeysMayHoldWhatUrlsAndXmlCannot) {
  check([](Store* store, std::string at) -> Task<void> {
    const std::array<std::string, 10> names = {"blank key",    "deep/er/key", "percent%41", "plus+and&amp=;",
                                               "quest?ion#s",  "quote\"<x>",  "tilde~.-_",  "tr.ailing../x",
                                               ".unfinished-", "ünïcödé"};
    for (const auto& name : names) co_await store->put(at + name, name);
    for (const auto& name : names) EXPECT_EQ(co_await content(store, at + name), name);
    auto sorted = names;
    std::ranges::sort(sorted);
    EXPECT_THAT(co_await keys_below(store, at), ElementsAreArray(sorted));
  });
}

TEST_P(StoreContract, SomeKeysAreRefused) {
  check([](Store* store, std::string at) -> Task<void> {
    for (const std::string& bad : {std::string(), at + "a/../b", at + "./a", at + "..", at + std::string(1, '\0'),
                                   at + std::string(1025, 'x')}) {
      EXPECT_THAT(co_await failure_of(put(store, bad, "x")), StartsWith("Invalid: object key")) << bad;
    }
  });
}

TEST_P(StoreContract, LongKeysAreFine) {
  check([](Store* store, std::string at) -> Task<void> {
    std::string key = at;
    while (key.size() + 101 <= 1024) key += std::string(100, 'x') + "/";
    key += std::string(1024 - key.size(), 'y');
    co_await store->put(key, "1");
    EXPECT_EQ(co_await content(store, key), "1");
    EXPECT_THAT(co_await keys_below(store, at), ElementsAre(key.substr(at.size())));
  });
}

TEST_P(StoreContract, ListingsAreInTheOrderOfBytes) {
  check([](Store* store, std::string at) -> Task<void> {
    for (const auto* name : {"a0", "a/1", "a-b", "a.b", "B", "a/1-", "a/0/x"}) co_await store->put(at + name, "1");
    EXPECT_THAT(co_await keys_below(store, at), ElementsAre("B", "a-b", "a.b", "a/0/x", "a/1", "a/1-", "a0"));
    EXPECT_THAT(co_await keys_below(store, at + "a/"), ElementsAre("0/x", "1", "1-"));
    EXPECT_THAT(co_await keys_below(store, at + "a/1"), ElementsAre("", "-"));
    EXPECT_THAT(co_await keys_below(store, at + "c"), IsEmpty());
  });
}

TEST_P(StoreContract, ADelimiterMakesLevels) {
  check([](Store* store, std::string at) -> Task<void> {
    for (const auto* name : {"x/1", "x/2", "y/1", "z", "y-"}) co_await store->put(at + name, "1");
    const auto page = co_await store->list(at, "/");
    EXPECT_THAT(page.prefixes, ElementsAre(at + "x/", at + "y/"));
    EXPECT_EQ(page.objects.size(), 2U);
    EXPECT_EQ(page.objects.at(0).key, at + "y-");
    EXPECT_EQ(page.objects.at(1).key, at + "z");
    const auto below = co_await store->list(at + "x", "/");
    EXPECT_THAT(below.prefixes, ElementsAre(at + "x/"));
    EXPECT_THAT((co_await store->list(at + "x/", "/")).prefixes, IsEmpty());
    co_await store->remove(at + "x/1");
    co_await store->remove(at + "x/2");
    EXPECT_THAT((co_await store->list(at, "/")).prefixes, ElementsAre(at + "y/"));
  });
}

TEST_P(StoreContract, LongListingsComeInPages) {
  check([](Store* store, std::string at) -> Task<void> {
    constexpr std::size_t kCount = 1005;
    co_await async::parallel_for(kCount, 8, [&](std::size_t i) -> Task<void> {
      return put(store, at + std::to_string(100'000 + i) + (i % 2 == 0 ? "" : "/x"), "");
    });
    const auto first = co_await store->list(at);
    EXPECT_EQ(first.objects.size(), 1000U);
    const auto rest = co_await store->list(at, "", first.next);
    EXPECT_EQ(rest.objects.size(), 5U);
    EXPECT_EQ(rest.objects.at(0).key, at + "101000");
    EXPECT_THAT(rest.next, IsEmpty());
    const auto level = co_await store->list(at, "/");
    EXPECT_EQ(level.objects.size() + level.prefixes.size(), 1000U);
    const auto level_rest = co_await store->list(at, "/", level.next);
    EXPECT_EQ(level_rest.objects.size(), 3U);
    EXPECT_THAT(level_rest.prefixes, ElementsAre(at + "101001/", at + "101003/"));
    EXPECT_THAT(level_rest.next, IsEmpty());
  });
}

TEST_P(StoreContract, WhatIsNotCommittedIsNotThere) {
  check([](Store* store, std::string at) -> Task<void> {
    co_await store->put(at + "a", "old");
    {
      const auto aborted = co_await store->create(at + "a");
      co_await aborted->write("new");
      co_await aborted->abort();
      const auto dropped = co_await store->create(at + "b/c");
      co_await dropped->write("half");
    }
    EXPECT_EQ(co_await content(store, at + "a"), "old");
    EXPECT_EQ(co_await store->head(at + "b/c"), std::nullopt);
    EXPECT_THAT(co_await keys_below(store, at), ElementsAre("a"));
  });
}

TEST_P(StoreContract, AWriterPublishesAtItsCommit) {
  check([](Store* store, std::string at) -> Task<void> {
    const auto bytes = noise(13'000'000);
    const auto writer = co_await store->create(at + "big");
    for (std::size_t done = 0; done < bytes.size(); done += 999'999) {
      co_await writer->write(std::string_view(bytes).substr(done, 999'999));
    }
    EXPECT_EQ(co_await store->head(at + "big"), std::nullopt);
    const auto info = co_await writer->commit();
    EXPECT_EQ(info.size, bytes.size());
    EXPECT_EQ((co_await store->head(at + "big"))->size, bytes.size());
    EXPECT_TRUE(co_await content(store, at + "big") == bytes);
    EXPECT_TRUE(co_await content(store, at + "big", {12'000'000, 1000}) == bytes.substr(12'000'000, 1000));
  });
}

TEST_P(StoreContract, AnEmptyWriterMakesAnEmptyObject) {
  check([](Store* store, std::string at) -> Task<void> {
    const auto writer = co_await store->create(at + "a");
    EXPECT_EQ((co_await writer->commit()).size, 0U);
    EXPECT_EQ((co_await store->head(at + "a"))->size, 0U);
  });
}

TEST_P(StoreContract, ReadersAndWritersMayRunAtOnce) {
  check([](Store* store, std::string at) -> Task<void> {
    co_await store->put(at + "a", noise(2'000'000, 7));
    co_await async::parallel_for(8, 8, [&](std::size_t i) -> Task<void> {
      auto copy = [](Store* of, std::string from, std::string to) -> Task<void> {
        const auto reader = co_await of->open(from);
        const auto writer = co_await of->create(to);
        for (auto piece = co_await reader->read(); !piece.empty(); piece = co_await reader->read()) {
          co_await writer->write(piece);
        }
        co_await writer->commit();
      };
      return copy(store, at + "a", at + "copies/" + std::to_string(i));
    });
    EXPECT_EQ((co_await store->list(at + "copies/")).objects.size(), 8U);
    EXPECT_TRUE(co_await content(store, at + "copies/7") == noise(2'000'000, 7));
  });
}

TEST_P(StoreContract, RemovingAPrefixLeavesTheRest) {
  check([](Store* store, std::string at) -> Task<void> {
    for (const auto* name : {"a/1", "a/2/3", "ab", "b"}) co_await store->put(at + name, "1");
    co_await remove_prefix(*store, at + "a/");
    EXPECT_THAT(co_await keys_below(store, at), ElementsAre("ab", "b"));
    EXPECT_THAT(co_await failure_of(remove_prefix(*store, "")), StartsWith("Invalid: refusing"));
  });
}

TEST_P(StoreContract, WholeReadsAreBounded) {
  check([](Store* store, std::string at) -> Task<void> {
    co_await store->put(at + "a", std::string(1000, 'x'));
    auto read = [](Store* of, std::string key, std::uint64_t limit) -> Task<void> {
      co_await read_all(*of, key, limit);
    };
    EXPECT_THAT(co_await failure_of(read(store, at + "a", 999)),
                AllOf(StartsWith("Corrupt: "), HasSubstr("longer than 999 bytes")));
    EXPECT_EQ(co_await failure_of(read(store, at + "a", 1000)), "");
  });
}

TEST_P(StoreContract, AProbeLeavesNothing) {
  check([](Store* store, std::string at) -> Task<void> {
    co_await probe(*store, at + "probe", "unique");
    EXPECT_THAT(co_await keys_below(store, at), IsEmpty());
  });
}

}  // namespace mtc::blob::testing
