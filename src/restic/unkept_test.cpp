#include "restic/unkept.hpp"

#include <algorithm>
#include <filesystem>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "restic/testing/vault.hpp"
#include "volume/file_error.hpp"
#include "volume/testing/flagged.hpp"
#include "volume/testing/random_tree.hpp"

// What no snapshot can hold, of files on a disk: a backup says what it leaves out.

namespace mtc::restic {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Vault;
using volume::testing::Flagged;
using volume::testing::Folder;
using volume::testing::set_age;
using volume::testing::write_file;

/// "what (count: first path)" of each.
std::vector<std::string> texts_of(const std::vector<volume::Loss>& losses) {
  std::vector<std::string> texts;
  texts.reserve(losses.size());
  for (const auto& loss : losses) {
    texts.push_back(fmt::format("{} ({}: {})", volume::printable(loss.what), loss.count, volume::printable(loss.path)));
  }
  return texts;
}

void set_attribute(const std::string& path, const char* name, std::string_view value) {
  ASSERT_EQ(::lsetxattr(path.c_str(), name, value.data(), value.size(), 0), 0) << path << " " << name;
}

TEST(Unkept, AnAttributeWhoseNameIsNoTextIsALoss) {
  const Vault vault;
  const Folder folder;
  fs::create_directories(folder / "from/shop");
  write_file(folder / "from/shop/a", "a");
  set_attribute(folder / "from/shop/a", "user.\xff", "1");
  set_attribute(folder / "from/shop/a", "user.\xfe", "2");  // Both would be written as the same name.
  set_attribute(folder / "from/shop/a", "user.kept\u00e4", "3");
  set_attribute(folder / "from/shop", "user.\xff", "4");
  set_attribute(folder / "from", "user.root\x80", "5");
  const auto backup = vault.back_up(folder / "from");
  ASSERT_EQ(backup.failure, "");
  EXPECT_THAT(texts_of(backup.result.report.losses),
              ::testing::UnorderedElementsAre("attribute user.\\xff (2: shop)", "attribute user.\\xfe (1: shop/a)",
                                              "attribute user.root\\x80 (1: .)"));
  EXPECT_TRUE(backup.result.report.complete()) << "what a snapshot can hold, it holds";

  const auto restored = vault.restore(backup.id(), folder / "to");
  EXPECT_EQ(restored.failure, "");
  EXPECT_TRUE(restored.report.complete());
  std::string names(256, '\0');
  const auto size = ::llistxattr((folder / "to/shop/a").c_str(), names.data(), names.size());
  EXPECT_EQ(names.substr(0, static_cast<std::size_t>(std::max<ssize_t>(size, 0))),
            std::string("user.kept\u00e4\0", 12));
}

TEST(Unkept, ALossIsSaidAgainOfAFileThatIsNotReadAgain) {
  const Vault vault;
  const Folder folder;
  fs::create_directory(folder / "from");
  write_file(folder / "from/a", "a");
  set_attribute(folder / "from/a", "user.\xff", "1");
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(texts_of(vault.back_up(folder / "from").result.report.losses),
                ElementsAre("attribute user.\\xff (1: a)"));
  }
}

TEST(Unkept, AttributesBeyondTheLimitOfATreeAreLosses) {
  volume::Xattrs xattrs;
  for (int i = 10; i < 30; ++i) xattrs.emplace_back(fmt::format("user.{}", i), std::string(64UZ * 1024, 'x'));
  xattrs.emplace_back("user.z", "short");
  const auto lost = drop_unkept(xattrs);
  EXPECT_EQ(lost.size(), 5U);
  EXPECT_THAT(lost, Contains("attribute user.29"));
  ASSERT_EQ(xattrs.size(), 16U);
  EXPECT_EQ(xattrs.back().first, "user.z");
}

TEST(Unkept, WhatFitsIsNoLoss) {
  const Vault vault;
  const Folder folder;
  SeededRng rng(5);
  volume::testing::make_random_tree(folder / "from", rng, 30);
  EXPECT_THAT(texts_of(vault.back_up(folder / "from").result.report.losses), IsEmpty());
}

TEST(Unkept, FlagsAreLosses) {
  const Vault vault;
  const Folder folder;
  fs::create_directory(folder / "from");
  for (const auto* name : {"a", "b", "c"}) write_file(folder / (std::string("from/") + name), name);
  const Flagged no_dump(folder / "from/b", FS_NODUMP_FL);
  if (!no_dump.set()) GTEST_SKIP() << "the file system has no flags";
  std::vector<std::string> expected{"flag no-dump (1: b)"};
  const Flagged immutable(folder / "from/a", FS_IMMUTABLE_FL);  // needs a privilege
  const Flagged append(folder / "from/c", FS_APPEND_FL);
  if (immutable.set()) expected.insert(expected.begin(), "flag immutable (1: a)");
  if (append.set()) expected.emplace_back("flag append-only (1: c)");
  EXPECT_EQ(texts_of(vault.back_up(folder / "from").result.report.losses), expected);
}

TEST(Unkept, ATimeOfAnotherAgeIsALoss) {
  const Vault vault;
  const Folder folder;
  fs::create_directory(folder / "from");
  for (const auto* name : {"from/early", "from/late", "from/now"}) write_file(folder / name, name);
  if (!set_age(folder / "from/late", 10'000'000'000)) GTEST_SKIP() << "the file system has no such times";
  const bool early = set_age(folder / "from/early", -10'000'000'000);  // 1901 is where ext4 ends
  EXPECT_THAT(texts_of(vault.back_up(folder / "from").result.report.losses),
              ElementsAre(early ? "time before 1678 or after 2261 (2: from/early)"
                                : "time before 1678 or after 2261 (1: late)"));
}

}  // namespace
}  // namespace mtc::restic
