#pragma once

#include "cli/command_line.hpp"

namespace mtc::app {

/// Copies images between registries, and tells of each how that ended. A failure of one leaves the others alone.
/// Returns the exit code: kOk if all are where they belong.
int run_image_copy(const cli::ImageCopyOptions& options, cli::Console& console);

}  // namespace mtc::app
