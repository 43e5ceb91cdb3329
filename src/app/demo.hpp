#pragma once

#include "cli/console.hpp"

namespace mtc::app {

/// Migrates an application between two embedded clusters on this machine, through an embedded bucket, and tells what it
/// does. Leaves nothing behind. Returns the exit code.
int run_demo(cli::Console& console);

}  // namespace mtc::app
