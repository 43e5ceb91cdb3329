#include "cli/completion.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "base/strings.hpp"

namespace mtc::cli {
namespace {

constexpr auto kNoFiles = ":4\n";
constexpr auto kFiles = ":0\n";

constexpr auto kBash = R"(# bash completion of mtc; for this shell: source <(mtc completion bash)
_mtc() {
  local -a answer
  mapfile -t answer < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  COMPREPLY=()
  [ "${#answer[@]}" -gt 0 ] || return 0
  [ "${answer[-1]}" != ":0" ] || compopt -o default 2>/dev/null
  unset 'answer[-1]'
  COMPREPLY=("${answer[@]}")
}
complete -F _mtc mtc
)";

constexpr auto kZsh = R"(#compdef mtc
# zsh completion of mtc; for this shell: source <(mtc completion zsh)
_mtc() {
  local -a answer
  answer=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "${answer[-1]}" == ":0" ]]; then
    _files
  else
    compadd -- "${(@)answer[1,-2]}"
  fi
}
if [ "${funcstack[1]}" = _mtc ]; then
  _mtc "$@"
else
  compdef _mtc mtc
fi
)";

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

/// The flag of this name, of the command or of those above it.
const CLI::Option* find_flag(const CLI::App* command, const std::string& name) {
  for (; command != nullptr; command = command->get_parent()) {
    const auto* option = command->get_option_no_throw(name);
    if (option != nullptr && option->nonpositional()) return option;
  }
  return nullptr;
}

const CLI::App* find_command(const CLI::App& command, const std::string& name) {
  for (const auto* sub : command.get_subcommands({})) {
    if (sub->check_name(name)) return sub;
  }
  return nullptr;
}

std::vector<const CLI::Option*> arguments_of(const CLI::App& command) {
  return command.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::vector<std::string> command_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const auto* sub : command.get_subcommands({})) names.push_back(sub->get_name());
  return names;
}

std::vector<std::string> flag_names(const CLI::App* command) {
  std::vector<std::string> names;
  for (; command != nullptr; command = command->get_parent()) {
    for (const auto* option : command->get_options({})) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

/// Moves on by one word.
void step(Position& at, const std::string& word) {
  if (at.flag != nullptr) {
    if (at.flag->check_name("--kubeconfig")) at.host.kubeconfig = word;
    if (at.flag->check_name("--context")) at.host.context = word;
    at.flag = nullptr;
    return;
  }
  if (word.starts_with('-') && word != "-") {
    const auto equals = word.find('=');
    const auto* flag = find_flag(at.command, word.substr(0, equals));
    if (flag == nullptr) {
      at.unknown = word.substr(0, equals);
    } else if (takes_value(*flag)) {
      at.flag = flag;
      if (equals != std::string::npos) step(at, word.substr(equals + 1));
    }
    return;
  }
  if (const auto* command = find_command(*at.command, word)) {
    at.command = command;
  } else if (at.arguments < arguments_of(*at.command).size()) {
    ++at.arguments;
  } else {
    at.unknown = word;
  }
}

struct Candidates {
  std::vector<std::string> words;
  bool files = false;
};

/// What may stand where the help says `placeholder`: "PLAN", "json|yaml", "FILE".
Candidates values_of(const std::string& placeholder, const HostOptions& host, const Names& names) {
  if (placeholder.contains('|')) return {split(placeholder, '|')};
  if (placeholder == "FILE") return {.files = true};
  for (const auto* kind : {"cluster", "storage", "plan", "migration", "context"}) {
    if (iequals(placeholder, kind)) return {names(kind, host)};
  }
  return {};
}

Candidates candidates_at(const Position& at, const std::string& begun, const Names& names) {
  if (at.flag != nullptr) return values_of(at.flag->get_type_name(), at.host, names);
  if (begun.starts_with('-')) return {flag_names(at.command)};
  if (auto commands = command_names(*at.command); !commands.empty()) return {std::move(commands)};
  const auto arguments = arguments_of(*at.command);
  if (at.arguments >= arguments.size()) return {};
  const auto* argument = arguments[at.arguments];
  const auto choices = argument->get_type_name();
  return values_of(choices.contains('|') ? choices : argument->get_name(true, false), at.host, names);
}

}  // namespace

Position walk(const CLI::App& root, const std::vector<std::string>& words) {
  Position at{.command = &root};
  for (const auto& word : words) {
    step(at, word);
    if (!at.unknown.empty()) break;
  }
  return at;
}

std::string suggestion(const Position& position) {
  return nearest(position.unknown,
                 position.unknown.starts_with('-') ? flag_names(position.command) : command_names(*position.command));
}

std::string complete(const CLI::App& root, std::vector<std::string> words, const Names& names) {
  auto begun = words.empty() ? "" : words.back();
  if (!words.empty()) words.pop_back();
  if (begun == "=") begun.clear();
  std::erase(words, "=");
  // A value that stands in one word with its flag is answered in one word with it.
  std::string prefix;
  if (const auto equals = begun.find('='); begun.starts_with("--") && equals != std::string::npos) {
    prefix = begun.substr(0, equals + 1);
    words.push_back(begun.substr(0, equals));
    begun.erase(0, equals + 1);
  }
  const auto at = walk(root, words);
  if (!at.unknown.empty()) return kNoFiles;
  const auto [candidates, files] = candidates_at(at, begun, names);
  std::string out;
  for (const auto& candidate : candidates) {
    if (candidate.starts_with(begun)) out += prefix + candidate + "\n";
  }
  return out + (files ? kFiles : kNoFiles);
}

std::string completion_script(const std::string& shell) { return shell == "zsh" ? kZsh : kBash; }

}  // namespace mtc::cli
