#include "async/file_changes.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"

namespace mtc::async {
namespace {

using namespace std::chrono_literals;

class FileChangesTest : public testing::Test {
 protected:
  void SetUp() override { std::ofstream(path_) << "first\n"; }
  void TearDown() override { std::filesystem::remove(path_); }
  std::string path_ = std::filesystem::temp_directory_path() / ("mtc-file-changes-" + name_suffix(system_rng(), 10));
};

Task<void> note_next(FileChanges* changes, bool* told) {
  co_await changes->next();
  *told = true;
}

TEST_F(FileChangesTest, TellOfWritesAndOfNothingElse) {
  Runtime().run([](std::string path) -> Task<void> {
    auto changes = co_await FileChanges::of(path);
    std::ofstream(path, std::ios::app) << "before anybody waits\n";
    co_await with_timeout(20s, "the first write", changes.next());
    bool told = false;
    auto scope = co_await Scope::create();
    scope.spawn(note_next(&changes, &told));
    for (int turn = 0; turn < 10; ++turn) co_await yield();
    EXPECT_FALSE(told);
    std::ofstream(path, std::ios::app) << "while somebody waits\n";
    co_await with_timeout(20s, "the second write", scope.join());
    EXPECT_TRUE(told);
  }(path_));
}

TEST_F(FileChangesTest, CanBeCancelled) {
  Runtime().run([](std::string path) -> Task<void> {
    auto changes = co_await FileChanges::of(path);
    bool told = false;
    auto scope = co_await Scope::create();
    scope.spawn(note_next(&changes, &told));
    co_await yield();
    co_await scope.cancel_and_join();
    EXPECT_FALSE(told);
  }(path_));
}

TEST_F(FileChangesTest, AreOfFilesThatAreThere) {
  Runtime().run([](std::string path) -> Task<void> {
    std::optional<Code> code;
    try {
      co_await FileChanges::of(path + ".absent");
    } catch (const Error& error) {
      code = error.code();
    }
    EXPECT_EQ(code, Code::kUnavailable);
  }(path_));
}

}  // namespace
}  // namespace mtc::async
