#pragma once

#include <string>

#include "json/fwd.hpp"
#include "kube/client.hpp"

namespace mtc::cli {

/// The pipeline of a MigMigration: a mark, the step, how long it took, what it does now.
std::string pipeline_text(const Json& migration);

/// Follows a MigMigration to its end: redrawn in place on a terminal, one line an event elsewhere. Returns the exit
/// code: 0 succeeded, 3 failed, 4 blocked by a condition for longer than a minute.
Task<int> watch(kube::ClientPtr host, std::string name);

}  // namespace mtc::cli
