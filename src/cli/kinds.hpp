#pragma once

#include <string>
#include <vector>

#include "kube/client.hpp"

namespace mtc::cli {

/// One of our kinds as the command line knows it.
struct Kind {
  std::string word;  ///< "plan"
  kube::ResourceType type;
  std::vector<std::string> columns;
  std::vector<std::string> (*cells)(const Json& object);
};
const std::vector<Kind>& kinds();
/// Throws Error(kInternal) for a word that is none.
const Kind& kind_of(const std::string& word);

/// A MigMigration that has ended, well or not.
bool is_over(const Json& migration);
/// A MigMigration that a critical condition holds up. One that waits for another of its plan is not.
bool is_blocked(const Json& migration);

}  // namespace mtc::cli
