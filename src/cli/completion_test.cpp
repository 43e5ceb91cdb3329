#include "cli/completion.hpp"

#include <gtest/gtest.h>

#include "base/strings.hpp"
#include "cli/command_tree.hpp"
#include "cli/help.hpp"
#include "cli/testing/recording_console.hpp"
#include "cli/text.hpp"

namespace mtc::cli {
namespace {

class Completion : public ::testing::Test {
 protected:
  std::string answer(std::vector<std::string> words) {
    return complete(tree_.root(), std::move(words), [this](const std::string& kind, const HostOptions& host) {
      asked_ = host.kubeconfig;
      return std::vector<std::string>{kind + "-a", kind + "-b"};
    });
  }
  std::string suggested(const std::vector<std::string>& words) { return suggestion(walk(tree_.root(), words)); }
  /// Calls `visit` with every command below `command`.
  void for_each(const CLI::App& command, const std::function<void(const CLI::App&)>& visit) {
    visit(command);
    for (const auto* sub : command.get_subcommands({})) for_each(*sub, visit);
  }

  Programs programs_;
  testing::RecordingConsole console_;
  CommandTree tree_{&programs_, &console_};
  std::string asked_;
};

TEST_F(Completion, KnowsCommandsAndFlags) {
  EXPECT_EQ(answer({"st"}), "storage\n:4\n");
  EXPECT_EQ(answer({"plan", ""}), "create\nget\ndescribe\ndelete\n:4\n");
  EXPECT_EQ(answer({"plan", "create", "--s"}), "--source\n--storage\n:4\n");
  EXPECT_EQ(answer({"migrate", "shop", "--kube"}), "--kubeconfig\n:4\n");
}

TEST_F(Completion, AsksTheHostForNames) {
  EXPECT_EQ(answer({"migrate", ""}), "plan-a\nplan-b\n:4\n");
  EXPECT_EQ(answer({"watch", "migration-b"}), "migration-b\n:4\n");
  EXPECT_EQ(answer({"cluster", "remove", ""}), "cluster-a\ncluster-b\n:4\n");
  EXPECT_EQ(answer({"plan", "create", "shop", "--storage", ""}), "storage-a\nstorage-b\n:4\n");
  EXPECT_EQ(answer({"cluster", "add", "x", "--from-context", ""}), "context-a\ncontext-b\n:4\n");
  EXPECT_EQ(answer({"--kubeconfig", "west", "wait", "plan", ""}), "plan-a\nplan-b\n:4\n");
  EXPECT_EQ(asked_, "west");
}

TEST_F(Completion, KnowsValues) {
  EXPECT_EQ(answer({"plan", "get", "-o", ""}), "json\nyaml\n:4\n");
  EXPECT_EQ(answer({"plan", "get", "--output=y"}), "--output=yaml\n:4\n");
  EXPECT_EQ(answer({"plan", "get", "--output", "=", "y"}), "yaml\n:4\n");
  EXPECT_EQ(answer({"plan", "get", "--output", "="}), "json\nyaml\n:4\n");
  EXPECT_EQ(answer({"completion", ""}), "bash\nzsh\n:4\n");
}

TEST_F(Completion, LeavesFilesToTheShell) { EXPECT_EQ(answer({"--kubeconfig", "we"}), ":0\n"); }

TEST_F(Completion, SaysNothingWhereNothingFits) {
  EXPECT_EQ(answer({"migrate", "shop", ""}), ":4\n");
  EXPECT_EQ(answer({"nonsense", ""}), ":4\n");
  EXPECT_EQ(answer({"cluster", "add", ""}), ":4\n");
}

TEST_F(Completion, SuggestsTheNearestWord) {
  EXPECT_EQ(suggested({"clsuter"}), "cluster");
  EXPECT_EQ(suggested({"plan", "creat"}), "create");
  EXPECT_EQ(suggested({"plan", "create", "--sorce", "x"}), "--source");
  EXPECT_EQ(suggested({"migrate", "shop", "--wach"}), "--watch");
  EXPECT_EQ(suggested({"frobnicate"}), "");
}

TEST_F(Completion, HelpOfEveryCommandHasAnExample) {
  for_each(tree_.root(), [](const CLI::App& command) {
    const auto help = help_text(command, "kubectl mtc");
    if (command.get_parent() != nullptr) {
      EXPECT_NE(help.find("\nExamples\n  kubectl mtc "), std::string::npos) << help;
    }
    EXPECT_NE(help.find("Usage: " + path_of(command, "kubectl mtc")), std::string::npos) << help;
  });
}

TEST_F(Completion, TheFirstHelpFitsAScreen) {
  const auto lines = split(help_text(tree_.root(), "kubectl mtc"), '\n');
  EXPECT_LE(lines.size(), 25u);
  for (const auto& line : lines) EXPECT_LE(columns_of(line), 80u) << line;
}

}  // namespace
}  // namespace mtc::cli
