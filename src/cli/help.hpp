#pragma once

#include <memory>
#include <string>

namespace CLI {
class App;
class FormatterBase;
}  // namespace CLI

namespace mtc::cli {

/// What the command is called from the top: "mtc plan create". `program` stands for the root.
std::string path_of(const CLI::App& command, const std::string& program);
/// The help of a command: what it does, how it is called, its arguments and flags, or its commands by group, an
/// example.
std::string help_text(const CLI::App& command, const std::string& program);
/// Makes CLI11 print such help; for the root, before any command is added to it.
std::shared_ptr<CLI::FormatterBase> make_help_formatter(std::string program);

}  // namespace mtc::cli
