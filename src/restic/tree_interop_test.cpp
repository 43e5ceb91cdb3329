#include <array>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "json/json.hpp"
#include "restic/go_text.hpp"
#include "restic/testing/restic_program.hpp"
#include "restic/testing/vault.hpp"
#include "volume/testing/random_tree.hpp"

// Trees that the original program wrote and this code reads, and the reverse.

namespace mtc::restic {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::ResticProgram;
using testing::Vault;
using volume::testing::describe;
using volume::testing::make_random_tree;
using volume::testing::random_bytes;
using volume::testing::write_file;

class TreeInterop : public ::testing::Test {
 protected:
  TreeInterop() : vault_(restic_.store(), ResticProgram::kPassword) {}

  void SetUp() override {
    if (!ResticProgram::installed()) GTEST_SKIP() << "restic is not installed";
    expect_success("init --repository-version 2");
  }
  std::string expect_success(const std::string& arguments) {
    const auto [code, output] = restic_.run(arguments);
    EXPECT_EQ(code, 0) << "restic " << arguments << ":\n" << output;
    return output;
  }
  /// Has restic back up `root`, whose files it sees as those of its working directory.
  Id restic_backup(const fs::path& root) {
    const auto before = fs::current_path();
    fs::current_path(root);
    expect_success("backup .");
    fs::current_path(before);
    const auto all = parse_json(expect_success("snapshots --json"));
    return *Id::parse(string_at(all.back(), "id"));
  }
  std::string tree_of(const Id& snapshot) {
    for (const auto& each : parse_json(expect_success("snapshots --json"))) {
      if (string_at(each, "id") == snapshot.hex()) return string_at(each, "tree");
    }
    return "no such snapshot";
  }
  std::string at(std::string_view name) const { return (restic_.files() / name).string(); }

  ResticProgram restic_;
  Vault vault_;
};

/// Without sockets, which restic does not keep.
std::map<std::string, std::string> without_sockets(std::map<std::string, std::string> tree) {
  std::erase_if(tree, [](const auto& each) { return each.second.starts_with("14") || each.first == "/"; });
  return tree;
}

/// A tree of all kinds, without what restic cannot keep: a path that is too long for it, links to what is no UTF-8.
void make_tree(const std::string& root, Rng& rng) {
  make_random_tree(root, rng, 20);
  for (const auto& each : fs::directory_iterator(root)) {
    if (each.path().filename().string().size() > 100) fs::remove_all(each.path());
  }
  std::vector<fs::path> lost;
  for (const auto& each : fs::recursive_directory_iterator(root)) {
    if (each.is_symlink() && !is_utf8(fs::read_symlink(each.path()).string())) lost.push_back(each.path());
  }
  for (const auto& each : lost) fs::remove(each);
  write_file(root + "/large", random_bytes(rng, 9'000'000));
}

TEST_F(TreeInterop, ATreeThatResticWroteIsRestoredAsItWas) {
  SeededRng rng(21);
  make_tree(at("from"), rng);
  const auto id = restic_backup(at("from"));
  const auto restored = vault_.restore(id, at("to"));
  EXPECT_EQ(restored.failure, "");
  EXPECT_TRUE(restored.report.complete());
  // A tree of restic says nothing of the links of fifos and sockets, and nothing at all of sockets.
  EXPECT_EQ(without_sockets(describe(at("to"))), without_sockets(describe(at("from"))));
}

TEST_F(TreeInterop, ATreeThatWeWroteIsRestoredByResticAsItWas) {
  SeededRng rng(22);
  make_tree(at("from"), rng);
  const auto backup = vault_.back_up(at("from"));
  ASSERT_EQ(backup.failure, "");
  EXPECT_THAT(expect_success("check --read-data"), HasSubstr("no errors were found"));
  expect_success(fmt::format("restore {} --target '{}'", backup.id().hex(), at("to")));
  EXPECT_EQ(without_sockets(describe(at("to"))), without_sockets(describe(at("from"))));
}

TEST_F(TreeInterop, ATimeThatWeCannotHoldIsALoss) {
  fs::create_directory(at("from"));
  write_file(at("from/late"), "late");
  const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, timespec{10'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, at("from/late").c_str(), times.data(), 0), 0);
  const auto restored = vault_.restore(restic_backup(at("from")), at("to"));
  EXPECT_EQ(restored.failure, "");
  ASSERT_EQ(restored.report.losses.size(), 1U);
  EXPECT_EQ(restored.report.losses[0].what, "time before 1678 or after 2261");
  EXPECT_EQ(restored.report.losses[0].path, "late");
}

/// What restic lists differently by the nature of its scan is left out: sockets, several attributes on one name.
void make_common_tree(const std::string& root, Rng& rng) {
  fs::create_directories(root + "/deep/er");
  write_file(root + "/empty", "");
  write_file(root + "/small", "content");
  write_file(root + "/large", random_bytes(rng, 33'000'000));  // several windows
  write_file(root + "/zeros", "");
  fs::resize_file(root + "/zeros", 21'000'000);  // cut by size alone
  for (const auto* name :
       {"new\nline", "bad\xff", "q\"<&>\\", "no\u00a0break\u2028", "\u00e4", "ctl\x01\x7f", "\U0001F600"}) {
    write_file(root + "/deep/" + name, name);
  }
  fs::create_hard_link(root + "/small", root + "/deep/er/linked");
  fs::create_symlink("../small", root + "/deep/link<>");
  fs::create_directory(root + "/none");
}

TEST_F(TreeInterop, BothMakeTheSameTreeOfTheSameFiles) {
  SeededRng rng(23);
  make_common_tree(at("from"), rng);
  const auto theirs = restic_backup(at("from"));
  const auto ours = vault_.back_up(at("from"));
  ASSERT_EQ(ours.failure, "");
  EXPECT_EQ(ours.result.snapshot->tree.hex(), tree_of(theirs)) << "every blob of it is the same, too";
  EXPECT_THAT(expect_success("check --read-data"), HasSubstr("no errors were found"));
}

TEST_F(TreeInterop, ResticKnowsOurFilesAgain) {
  SeededRng rng(24);
  make_common_tree(at("from"), rng);
  ASSERT_EQ(vault_.back_up(at("from")).failure, "");
  const auto before = fs::current_path();
  fs::current_path(at("from"));
  const auto output = expect_success("backup . --json");
  fs::current_path(before);
  EXPECT_THAT(output, HasSubstr("\"data_blobs\":0"));
}

TEST_F(TreeInterop, AWrongPasswordIsSaidSo) {
  const Vault stranger(restic_.store(), "not it");
  fs::create_directories(at("from"));
  EXPECT_THAT(stranger.back_up(at("from")).failure, HasSubstr("Unauthorized"));
}

}  // namespace
}  // namespace mtc::restic
