#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/host.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mtc::cli {

/// How far the words of a command line lead into the tree of commands.
struct Position {
  const CLI::App* command = nullptr;  ///< the deepest command
  const CLI::Option* flag = nullptr;  ///< the flag whose value comes next; null = none
  std::size_t arguments = 0;          ///< how many of the command's arguments have passed
  HostOptions host;                   ///< of --kubeconfig and --context
  std::string unknown;                ///< the first word that no command, flag or argument takes
};
Position walk(const CLI::App& root, const std::vector<std::string>& words);

/// What a misspelt word of this position may have been; "" if nothing is near.
std::string suggestion(const Position& position);

/// Names of the clusters, storages, plans or migrations there are ("cluster", …), or of contexts ("context").
using Names = std::function<std::vector<std::string>(const std::string& kind, const HostOptions& host)>;

/// What the last of `words` may become, a line each, and a last line for the shell: ":4" these are all, ":0" a file.
/// That is how kubectl asks its plugins, and how the scripts below ask us. A lone "=" is what bash makes of
/// --flag=value.
std::string complete(const CLI::App& root, std::vector<std::string> words, const Names& names);

/// The script that makes bash or zsh ask us.
std::string completion_script(const std::string& shell);

}  // namespace mtc::cli
