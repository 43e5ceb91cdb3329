#include "cli/help.hpp"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/strings.hpp"
#include "cli/text.hpp"

namespace mtc::cli {
namespace {

constexpr std::size_t kColumns = 80;

using Rows = std::vector<std::pair<std::string, std::string>>;

bool takes_value(const CLI::Option* option) { return option->get_items_expected_max() > 0; }

/// "-n,--namespace NAMESPACE"; "    --bucket BUCKET" where there is no short name.
std::string spelling(const CLI::Option* option) {
  std::string out;
  for (const auto& name : option->get_snames()) out += "-" + name + ", ";
  out += "--" + option->get_lnames().front();
  return takes_value(option) ? out + " " + option->get_type_name() : out;
}

std::vector<const CLI::Option*> arguments_of(const CLI::App& command) {
  return command.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::vector<const CLI::Option*> flags_of(const CLI::App& command) {
  return command.get_options(
      [](const CLI::Option* option) { return option->nonpositional() && !option->check_name("--help"); });
}

std::string description_of(const CLI::Option* option) {
  auto out = option->get_description();
  if (!option->get_envname().empty()) out += fmt::format(" (or ${})", option->get_envname());
  return option->get_required() ? out + " (required)" : out;
}

/// Text in lines of at most `columns`, broken between words.
std::vector<std::string> wrap(const std::string& text, std::size_t columns) {
  std::vector<std::string> lines{""};
  for (const auto& word : split(text, ' ')) {
    auto& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (columns_of(line) + 1 + columns_of(word) <= columns) {
      line += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

/// Names on the left, what they mean on the right.
std::string list(const std::string& title, const Rows& rows) {
  if (rows.empty()) return "";
  std::size_t width = 0;
  for (const auto& [name, meaning] : rows) width = std::max(width, columns_of(name));
  auto out = title.empty() ? "" : title + "\n";
  for (const auto& [name, meaning] : rows) {
    out += fmt::format("  {}{}", name, std::string(width - columns_of(name) + 2, ' '));
    const auto lines = wrap(meaning, kColumns - width - 4);
    for (std::size_t i = 0; i < lines.size(); ++i) out += (i == 0 ? "" : std::string(width + 4, ' ')) + lines[i] + "\n";
  }
  return out;
}

std::string usage(const CLI::App& command, const std::string& program) {
  auto out = path_of(command, program);
  if (!command.get_subcommands({}).empty()) return out + " COMMAND [FLAGS]";
  for (const auto* argument : arguments_of(command))
    out +=
        argument->get_required() ? " " + argument->get_name(true, false) : " [" + argument->get_name(true, false) + "]";
  bool optional = false;
  for (const auto* flag : flags_of(command)) {
    if (flag->get_required()) out += fmt::format(" --{} {}", flag->get_lnames().front(), flag->get_type_name());
    optional = optional || !flag->get_required();
  }
  return optional ? out + " [FLAGS]" : out;
}

Rows rows_of(const std::vector<const CLI::Option*>& options) {
  Rows rows;
  for (const auto* option : options)
    rows.emplace_back(option->get_positional() ? option->get_name(true, false) : spelling(option),
                      description_of(option));
  return rows;
}

/// The commands below one, by group, in the order of their making; names of one width. Those of no group are not shown.
std::string commands(const CLI::App& command) {
  std::vector<std::string> groups;
  for (const auto* sub : command.get_subcommands({})) {
    const auto& group = sub->get_group();
    if (!group.empty() && std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
  }
  std::string out;
  for (const auto& group : groups) {
    out += group + "\n";
    for (const auto* sub : command.get_subcommands({})) {
      if (sub->get_group() == group) out += fmt::format("  {:<12}{}\n", sub->get_name(), sub->get_description());
    }
  }
  return out;
}

/// The last lines of the first screen.
std::string outline(const std::string& program) {
  return fmt::format("Begin with `{0} demo`; `{0} COMMAND --help` has examples.\n", program);
}

const CLI::App* root_of(const CLI::App* command) {
  while (command->get_parent() != nullptr) command = command->get_parent();
  return command;
}

class HelpFormatter final : public CLI::FormatterBase {
 public:
  explicit HelpFormatter(std::string program) : program_(std::move(program)) {}
  std::string make_help(const CLI::App* app, std::string /*name*/, CLI::AppFormatMode /*mode*/) const override {
    return help_text(*app, program_);
  }

 private:
  std::string program_;
};

}  // namespace

std::string path_of(const CLI::App& command, const std::string& program) {
  return command.get_parent() == nullptr ? program : path_of(*command.get_parent(), program) + " " + command.get_name();
}

std::string help_text(const CLI::App& command, const std::string& program) {
  const bool top = command.get_parent() == nullptr;
  // The first screen has as many lines as a terminal, and needs each.
  auto out = command.get_description() + (top ? "\n" : "\n\n") + "Usage: " + usage(command, program) + "\n";
  if (!top) out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  const auto section = [&out](const std::string& text) {
    if (!text.empty()) out += "\n" + text;
  };
  section(commands(command));
  if (top) {
    section(outline(program));
    return out;
  }
  section(list("Arguments", rows_of(arguments_of(command))));
  section(list("Flags", rows_of(flags_of(command))));
  section(list("Flags of every command", rows_of(flags_of(*root_of(&command)))));
  std::string examples;
  for (const auto& line : split(command.get_footer(), '\n')) examples += fmt::format("  {} {}\n", program, line);
  section("Examples\n" + examples);
  return out;
}

std::shared_ptr<CLI::FormatterBase> make_help_formatter(std::string program) {
  return std::make_shared<HelpFormatter>(std::move(program));
}

}  // namespace mtc::cli
