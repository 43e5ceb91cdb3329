#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "base/clock.hpp"
#include "json/json.hpp"
#include "restic/check.hpp"
#include "restic/files.hpp"
#include "restic/lock.hpp"
#include "restic/lock_file.hpp"
#include "restic/prune.hpp"
#include "restic/repository.hpp"
#include "restic/snapshot.hpp"
#include "restic/testing/content.hpp"
#include "restic/testing/restic_program.hpp"

// The original program and this code on the same repository.

namespace mtc::restic {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::failure_of;
using ::testing::HasSubstr;
using testing::ResticProgram;
using ::testing::SizeIs;
using ::testing::StartsWith;

class Interop : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ResticProgram::installed()) GTEST_SKIP() << "restic is not installed";
  }

  void expect_success(const std::string& arguments) {
    const auto [code, output] = restic_.run(arguments);
    EXPECT_EQ(code, 0) << "restic " << arguments << ":\n" << output;
  }

  using Use = Task<void>(const ResticProgram* restic, Repository* repository);
  enum class LoadIndex { kNo, kYes };
  /// Runs `use` with the repository opened.
  void with_repository(Use* use, LoadIndex load_index = LoadIndex::kYes) {
    auto body = [](Interop* test, Use* what, LoadIndex load) -> Task<void> {
      const auto repository = co_await Repository::open(test->restic_.store(), "", Secret(ResticProgram::kPassword));
      if (load == LoadIndex::kYes) co_await repository->load_index();
      co_await what(&test->restic_, repository.get());
    };
    async::Runtime().run(body(this, use, load_index));
  }
  /// Changes one bit of a file, or changes it back.
  static void flip(const fs::path& path, std::streamoff at) {
    fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto byte = static_cast<char>(file.seekg(at).get() ^ 4);
    file.seekp(at).put(byte);
  }
  void create() { async::Runtime().run(Repository::create(restic_.store(), "", Secret(ResticProgram::kPassword))); }
  std::string failure_to_open(std::string password) {
    auto body = [](blob::StorePtr store, std::string with, std::string* failure) -> Task<void> {
      auto open = [](blob::StorePtr from, std::string secret) -> Task<void> {
        co_await Repository::open(from, "", Secret(secret));
      };
      *failure = co_await failure_of(open(store, with));
    };
    std::string failure;
    async::Runtime().run(body(restic_.store(), std::move(password), &failure));
    return failure;
  }
  void write(const std::string& name, const std::string& content) {
    fs::create_directories((restic_.files() / name).parent_path());
    std::ofstream(restic_.files() / name) << content;
  }

  ResticProgram restic_;
};

/// The Json of a tree blob.
Task<Json> tree(Repository* repository, Id id) { co_return parse_json(co_await repository->load(BlobType::kTree, id)); }

TEST_F(Interop, WhatResticWroteIsRead) {
  for (const auto* const version : {"1", "2"}) {
    fs::remove_all(restic_.folder());
    expect_success(std::string("init --repository-version ") + version);
    write("a/hello", "hello, world");
    write("a/large", std::string(3'000'000, 'x') + "end");
    expect_success("backup --host shop/data --tag plan=1 " + restic_.files().string());
    with_repository([](const ResticProgram* restic, Repository* repository) -> Task<void> {
      const auto found = co_await snapshots(*repository);
      EXPECT_THAT(found, SizeIs(1));
      if (found.empty()) co_return;
      EXPECT_EQ(found[0].hostname, "shop/data");
      EXPECT_THAT(found[0].tags, ElementsAre("plan=1"));
      EXPECT_THAT(found[0].paths, ElementsAre(restic->files().string()));
      // Down the path of the folder to its files.
      auto node = co_await tree(repository, found[0].tree);
      while (string_at(node["nodes"][0], "name") != "hello") {
        node = co_await tree(repository, *Id::parse(string_at(node["nodes"][0], "subtree")));
      }
      std::string large;
      for (const auto& id : strings_at(node["nodes"][1], "content")) {
        large += co_await repository->load(BlobType::kData, *Id::parse(id));
      }
      EXPECT_EQ(large, std::string(3'000'000, 'x') + "end");
      const auto hello = Id::parse(strings_at(node["nodes"][0], "content").at(0));
      EXPECT_EQ(co_await repository->load(BlobType::kData, *hello), "hello, world");
    });
  }
}

TEST_F(Interop, WhatWasWrittenResticReads) {
  create();
  with_repository([](const ResticProgram*, Repository* repository) -> Task<void> {
    const std::string letters(500'000, 'a');
    co_await testing::store_snapshot(
        repository, {{"one", {letters, "and", letters}}, {"two", {"second"}}, {"none", {}}, {"blank", {""}}},
        *parse_rfc3339("2024-05-06T07:08:09.123456Z"), "shop/data");
  });
  expect_success("check --read-data");
  const auto listed = restic_.run("ls -l latest");
  EXPECT_THAT(listed.output, AllOf(HasSubstr("/0/one"), HasSubstr("1000003"), HasSubstr("/2/none")));
  EXPECT_EQ(restic_.run("dump latest /1/two").output, "second");
  const auto known = restic_.run("snapshots --json");
  EXPECT_THAT(known.output, AllOf(HasSubstr(R"("hostname":"shop/data")"), HasSubstr("2024-05-06T07:08:09.123456Z")));
  expect_success("cat config");
  expect_success("cat masterkey");
}

TEST_F(Interop, BothAddToTheSameRepository) {
  create();
  with_repository([](const ResticProgram*, Repository* repository) -> Task<void> {
    co_await testing::store_snapshot(repository, {{"one", {"first"}}}, system_clock().now());
  });
  write("two", "second");
  expect_success("backup --host other " + restic_.files().string());
  with_repository([](const ResticProgram*, Repository* repository) -> Task<void> {
    EXPECT_THAT(co_await snapshots(*repository), SizeIs(2));
    EXPECT_EQ(co_await repository->load(BlobType::kData, Id::of("second")), "second");
    // Restic's blob is not stored again.
    EXPECT_FALSE(repository->seal(BlobType::kData, Id::of("second"), "second"));
    co_await testing::store_snapshot(repository, {{"three", {"third", "second"}}}, system_clock().now());
  });
  expect_success("check --read-data");
  EXPECT_EQ(restic_.run("dump latest /0/three").output, "thirdsecond");
  expect_success("prune");
  expect_success("check --read-data");
  with_repository([](const ResticProgram*, Repository* repository) -> Task<void> {
    EXPECT_EQ(co_await repository->load(BlobType::kData, Id::of("third")), "third");
  });
}

TEST_F(Interop, PasswordsAreTheSame) {
  expect_success("init");
  EXPECT_EQ(failure_to_open(ResticProgram::kPassword), "");
  EXPECT_THAT(failure_to_open("wrong"), StartsWith("Unauthorized: "));
  fs::remove_all(restic_.folder());
  EXPECT_THAT(failure_to_open("wrong"), StartsWith("NotFound: "));
  create();
  EXPECT_THAT(restic_.run("snapshots", "wrong").output, HasSubstr("wrong password"));
  expect_success("snapshots");
}

TEST_F(Interop, LocksOfBothAreSeenByBoth) {
  create();
  with_repository([](const ResticProgram* restic, Repository* repository) -> Task<void> {
    co_await testing::store_snapshot(repository, {{"one", {"first"}}}, system_clock().now());
    const auto shared = std::shared_ptr<Repository>(repository, [](Repository*) {});
    const auto restics = [](const ResticProgram* program) -> Task<void> {
      EXPECT_THAT(program->run("snapshots").output, HasSubstr("locked exclusively by PID"));
      co_return;
    };
    co_await with_lock(shared, LockKind::kExclusive, {}, [&] { return restics(restic); });
    EXPECT_EQ(restic->run("snapshots").code, 0);
    // A writer of the original that was killed.
    auto dead = lock_of_this_process(LockKind::kExclusive, system_clock().now());
    dead.username = "root";
    dead.pid = 4'000'000;  // beyond pid_max
    co_await repository->files().save_document(FileType::kLock, encode_lock(dead));
    EXPECT_NE(restic->run("snapshots").code, 0);
    co_await with_lock(shared, LockKind::kShared, {}, [] -> Task<void> { co_return; });
    EXPECT_EQ(restic->run("snapshots").code, 0);
    // One of ours that was killed.
    co_await repository->files().save_document(FileType::kLock, encode_lock(dead));
    EXPECT_EQ(restic->run("unlock").code, 0);
    EXPECT_EQ(restic->run("snapshots").code, 0);
  });
}

TEST_F(Interop, WhatIsPrunedIsSoundForBoth) {
  expect_success("init");
  for (int i = 0; i < 3; ++i) {
    write("same", std::string(100'000, 'x'));
    write("new", testing::noise(200'000, static_cast<std::uint64_t>(i)));
    expect_success("backup --host shop " + restic_.files().string());
  }
  with_repository([](const ResticProgram*, Repository* repository) -> Task<void> {
    const auto shared = std::shared_ptr<Repository>(repository, [](Repository*) {});
    const auto report = co_await forget_and_prune(shared, {.host = "shop", .last = 1});
    EXPECT_THAT(report.forgotten, SizeIs(2));
    EXPECT_GT(report.freed_bytes, 400'000U);
  });
  expect_success("check --read-data");
  EXPECT_EQ(restic_.run("dump latest " + (restic_.files() / "new").string()).output, testing::noise(200'000, 2));
  EXPECT_THAT(restic_.run("prune --max-unused 0 --dry-run").output, HasSubstr("unused size after prune: 0 B"));
}

TEST_F(Interop, DamageIsSeenByBoth) {
  expect_success("init");
  write("file", testing::noise(100'000));
  expect_success("backup " + restic_.files().string());
  for (const auto* const folder : {"data", "index", "snapshots"}) {
    fs::path file;
    for (const auto& entry : fs::recursive_directory_iterator(restic_.folder() / folder)) {
      if (entry.is_regular_file()) file = entry.path();
    }
    flip(file, 30);
    const auto theirs = restic_.run("check --read-data");
    EXPECT_NE(theirs.code, 0) << folder << ": " << theirs.output;
    with_repository(
        [](const ResticProgram*, Repository* repository) -> Task<void> {
          EXPECT_FALSE((co_await check(*repository, ReadData::kYes)).sound());
        },
        LoadIndex::kNo);
    flip(file, 30);
  }
  expect_success("check --read-data");
}

}  // namespace
}  // namespace mtc::restic
