#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "base/rng.hpp"
#include "blob/store.hpp"
#include "blob/testing/store_contract.hpp"

namespace mtc::blob {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class DirectoryStore : public ::testing::Test {
 protected:
  DirectoryStore()
      : outside_(fs::temp_directory_path() / ("mtc-store-" + name_suffix(system_rng(), 10))),
        folder_(outside_ / "store"),
        store_(make_directory_store(folder_.string())) {}
  ~DirectoryStore() override { fs::remove_all(outside_); }

  static Task<void> put(Store* store, std::string key, std::string bytes) { co_await store->put(key, bytes); }
  std::string put(std::string key, std::string bytes = "x") {
    std::string failure;
    auto run = [](Store* store, std::string k, std::string b, std::string* out) -> Task<void> {
      *out = co_await testing::failure_of(put(store, k, b));
    };
    async::Runtime().run(run(store_.get(), std::move(key), std::move(bytes), &failure));
    return failure;
  }
  void run(Task<void> (*body)(Store* store)) { async::Runtime().run(body(store_.get())); }

  fs::path outside_;
  fs::path folder_;
  StorePtr store_;
};

TEST_F(DirectoryStore, KeysAreFileNames) {
  EXPECT_EQ(put("a/b", "content"), "");
  std::string found;
  std::ifstream(folder_ / "a" / "b") >> found;
  EXPECT_EQ(found, "content");
  EXPECT_EQ(put("/leading//double/"), "");
  EXPECT_TRUE(fs::exists(folder_ / "%" / "leading" / "%" / "double" / "%"));
  run([](Store* store) -> Task<void> {
    EXPECT_EQ(co_await testing::content(store, "/leading//double/"), "x");
    EXPECT_EQ((co_await store->list("/leading/")).objects.at(0).key, "/leading//double/");
  });
}

TEST_F(DirectoryStore, OnlyTheOwnerMayReadIt) {
  put("secret/a");
  struct stat status{};
  ASSERT_EQ(::stat((folder_ / "secret" / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat((folder_ / "secret").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_F(DirectoryStore, LinksDoNotLeadOut) {
  std::ofstream(outside_ / "victim") << "1";
  fs::create_directory_symlink(outside_, folder_ / "out");
  fs::create_symlink(outside_ / "victim", folder_ / "file");
  EXPECT_THAT(put("out/new"), StartsWith("Conflict: "));
  EXPECT_FALSE(fs::exists(outside_ / "new"));
  run([](Store* store) -> Task<void> {
    EXPECT_EQ(co_await store->open("out/victim"), nullptr);
    EXPECT_EQ(co_await store->head("file"), std::nullopt);
    co_await store->remove("out/victim");
    EXPECT_THAT((co_await store->list("")).objects, IsEmpty());
  });
  EXPECT_TRUE(fs::exists(outside_ / "victim"));
  // Writing replaces a link, not what it leads to.
  EXPECT_EQ(put("file", "2"), "");
  std::string victim;
  std::ifstream(outside_ / "victim") >> victim;
  EXPECT_EQ(victim, "1");
}

TEST_F(DirectoryStore, WhatIsNoFileIsNoObject) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  fs::create_directories(folder_ / "empty" / "folder");
  std::ofstream(folder_ / ".unfinished-1234") << "left behind";
  run([](Store* store) -> Task<void> {
    EXPECT_EQ(co_await store->open("fifo"), nullptr);
    EXPECT_EQ(co_await store->open("empty"), nullptr);
    EXPECT_EQ(co_await store->head(".unfinished-1234"), std::nullopt);
    const auto page = co_await store->list("", "/");
    EXPECT_THAT(page.objects, IsEmpty());
    EXPECT_THAT(page.prefixes, IsEmpty());
  });
}

TEST_F(DirectoryStore, AnObjectIsNoFolder) {
  EXPECT_EQ(put("a/b"), "");
  EXPECT_THAT(put("a"), AllOf(StartsWith("Conflict: "), HasSubstr("there are objects below it")));
  EXPECT_THAT(put("a/b/c"), AllOf(StartsWith("Conflict: "), HasSubstr("b is no folder")));
}

TEST_F(DirectoryStore, RemovalTakesEmptyFoldersAway) {
  EXPECT_EQ(put("a/b/c"), "");
  EXPECT_EQ(put("a/d"), "");
  run([](Store* store) -> Task<void> { co_await store->remove("a/b/c"); });
  EXPECT_FALSE(fs::exists(folder_ / "a" / "b"));
  EXPECT_EQ(put("a/b"), "");
  run([](Store* store) -> Task<void> {
    co_await store->remove("a/b");
    co_await store->remove("a/d");
  });
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(DirectoryStore, WhatIsDroppedLeavesNoFile) {
  run([](Store* store) -> Task<void> {
    const auto writer = co_await store->create("a/b");
    co_await writer->write("half");
  });
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(DirectoryStore, SaysWhichFolderItCannotUse) {
  std::ofstream(outside_ / "file") << "1";
  try {
    make_directory_store((outside_ / "file" / "x").string());
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), HasSubstr("create the folder " + (outside_ / "file" / "x").string()));
  }
}

}  // namespace
}  // namespace mtc::blob
