#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "json/json.hpp"
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
  /// Runs `use` with the repository opened.
  void with_repository(Use* use) {
    auto body = [](Interop* test, Use* what) -> Task<void> {
      const auto repository = co_await Repository::open(test->restic_.store(), "", Secret(ResticProgram::kPassword));
      co_await repository->load_index();
      co_await what(&test->restic_, repository.get());
    };
    async::Runtime().run(body(this, use));
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

}  // namespace
}  // namespace mtc::restic
