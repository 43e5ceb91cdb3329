#include "cli/standalone.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "cli/host.hpp"
#include "cli/testing/recording_console.hpp"
#include "cli/user_error.hpp"

namespace mtc::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kKubeconfig =
    "{current-context: a, clusters: [{name: a, cluster: {server: 'https://standalone'}}], "
    "contexts: [{name: a, context: {cluster: a}}]}";

/// A home without any kubeconfig.
class Standalone : public ::testing::Test {
 protected:
  void SetUp() override {
    home_ = fs::temp_directory_path() / ("mtc-cli-" + name_suffix(system_rng(), 10));
    fs::create_directories(home_);
    setenv("HOME", home_.c_str(), 1);
    for (const auto* name : {"KUBECONFIG", "XDG_STATE_HOME", "KUBERNETES_SERVICE_HOST"}) unsetenv(name);
  }
  void TearDown() override { fs::remove_all(home_); }

  /// Runs `look` in another process, for locks are between processes; whether it returned true.
  static bool elsewhere(const std::function<bool()>& look) {
    const auto child = fork();
    if (child == 0) _exit(look() ? 0 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  fs::path home_;
  testing::RecordingConsole console_;
};

TEST_F(Standalone, StateIsInTheStateFolder) {
  EXPECT_EQ(standalone_state(), home_.string() + "/.local/state/mtc/host.db");
  setenv("XDG_STATE_HOME", "/var/x", 1);
  EXPECT_EQ(standalone_state(), "/var/x/mtc/host.db");
  setenv("XDG_STATE_HOME", "relative", 1);
  EXPECT_EQ(standalone_state(), home_.string() + "/.local/state/mtc/host.db");
}

TEST_F(Standalone, NobodyElseGetsTheState) {
  const auto state = standalone_state();
  EXPECT_EQ(server_of(state), std::nullopt);
  {
    const StateLock lock(state);
    EXPECT_TRUE(elsewhere([&] { return server_of(state) == getppid(); }));
    EXPECT_TRUE(elsewhere([&] {
      try {
        const StateLock second(state);
      } catch (const UserError& error) {
        return error.code() == Code::kConflict && std::string(error.what()).contains(std::to_string(getppid()));
      }
      return false;
    }));
  }
  EXPECT_TRUE(elsewhere([&] { return server_of(state) == std::nullopt; }));
  EXPECT_EQ(fs::status(fs::path(state).parent_path()).permissions(), fs::perms::owner_all);
}

TEST_F(Standalone, IsTheHostWhereThereIsNoKubeconfig) {
  const auto state = standalone_state();
  const StateLock lock(state);
  std::ofstream(kubeconfig_of(state)) << kKubeconfig;
  EXPECT_TRUE(elsewhere([&] { return find_host({}, console_).url == "https://standalone"; }));
}

TEST_F(Standalone, IsNoHostWhenItDoesNotRun) {
  const auto state = standalone_state();
  fs::create_directories(fs::path(state).parent_path());
  std::ofstream(kubeconfig_of(state)) << kKubeconfig;
  try {
    find_host({}, console_);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    for (const auto* way : {"mtc --kubeconfig FILE", "export KUBECONFIG=FILE", "mtc controller --standalone"})
      EXPECT_NE(error.next().find(way), std::string::npos) << way;
  }
}

TEST_F(Standalone, AKubeconfigGoesFirst) {
  const auto file = (home_ / "west").string();
  std::ofstream(file) << "{current-context: a, clusters: [{name: a, cluster: {server: 'https://west'}}], contexts: "
                         "[{name: a, context: {cluster: a}}]}";
  EXPECT_EQ(find_host({.kubeconfig = file}, console_).url, "https://west");
  setenv("KUBECONFIG", file.c_str(), 1);
  EXPECT_EQ(find_host({}, console_).url, "https://west");
}

}  // namespace
}  // namespace mtc::cli
