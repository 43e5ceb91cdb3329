#include "cli/command_line.hpp"

#include <filesystem>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "api/names.hpp"
#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/log.hpp"
#include "cli/command_tree.hpp"
#include "cli/completion.hpp"
#include "cli/help.hpp"
#include "cli/kinds.hpp"
#include "cli/user_error.hpp"
#include "json/json.hpp"

namespace mtc::cli {
namespace {

constexpr auto kPlugin = "kubectl-mtc";                 ///< kubectl finds its plugins by such names,
constexpr auto kPluginHelper = "kubectl_complete-mtc";  ///< and those that complete their words by these
constexpr auto kComplete = "__complete";
constexpr auto kNamesLimit = std::chrono::seconds(2);  ///< who presses Tab does not wait longer

Task<void> list_names(kube::ClientPtr host, Kind kind, std::vector<std::string>* out) {
  *out = names_of(co_await kube::list_all(*host, kind.type, api::kNamespace));
}

/// Names to complete by; none if the host does not say them at once.
std::vector<std::string> names_there_are(const std::string& word, const HostOptions& options, const Console& console) {
  std::vector<std::string> names;
  try {
    if (word == "context") {
      for (const auto& entry : kube::Kubeconfig::load_default().contexts()) names.push_back(entry.context);
      return names;
    }
    const auto host = kube::make_client(find_host(options, console));
    async::Runtime runtime;
    runtime.run(async::with_timeout_void(kNamesLimit, "names", list_names(host, kind_of(word), &names)));
  } catch (const Error&) {
    names.clear();  // A shell that completes has nowhere to tell it.
  }
  return names;
}

/// What is wrong with a command line, and where its help is.
UserError usage_error(const CLI::App& root, const std::vector<std::string>& words, const CLI::ParseError& error,
                      const Console& console) {
  const auto at = walk(root, words);
  const auto where = path_of(*at.command, console.program());
  std::string what = error.what();
  if (!at.unknown.empty()) {
    const bool is_flag = at.unknown.starts_with('-');
    const bool is_command = !is_flag && at.command->get_require_subcommand_min() > 0;
    what = fmt::format("{} is no {} of `{}`", at.unknown,
                       is_flag      ? "flag"
                       : is_command ? "command"
                                    : "argument",
                       where);
    if (const auto near = suggestion(at); !near.empty()) what += fmt::format("; did you mean {}?", near);
  } else if (at.command->get_require_subcommand_min() > 0) {
    what = fmt::format("`{}`: a command is missing", where);
  } else {
    what = fmt::format("`{}`: {}", where, what);
  }
  return {Code::kInvalid, what, where + " --help"};
}

int parse_and_run(CommandTree& tree, std::vector<std::string> words, Console& console) {
  try {
    tree.root().parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::Success& asked) {  // --help or --version
    return tree.root().exit(asked);
  } catch (const CLI::ParseError& error) {
    tell(usage_error(tree.root(), words, error, console), console);
    return kUsage;
  }
  return tree.run();
}

}  // namespace

int run_command_line(int argc, char** argv, const Programs& programs) {
  const auto called = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "mtc";
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const auto console = make_console(called == kPlugin || called == kPluginHelper ? "kubectl mtc" : "mtc");
  try {
    CommandTree tree(&programs, console.get());
    const bool asked = !words.empty() && words.front() == kComplete;
    if (asked || called == kPluginHelper) {
      if (asked) words.erase(words.begin());
      log::configure(log::Level::kError, log::Format::kText);
      const auto names = [&](const std::string& kind, const HostOptions& host) {
        return names_there_are(kind, host, *console);
      };
      console->out(complete(tree.root(), std::move(words), names));
      return kOk;
    }
    return parse_and_run(tree, std::move(words), *console);
  } catch (const Error& error) {
    tell(error, *console);
    return kFailed;
  }
}

}  // namespace mtc::cli
