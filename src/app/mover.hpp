#pragma once

#include "cli/command_line.hpp"

namespace mtc::app {

/// The two ends of a volume's move, and the ways into and out of a repository (src/mover/run.hpp), as the command line
/// asks for them. Each returns the exit code.
int run_mover_receive(const cli::MoverOptions& options, cli::Console& console);
int run_mover_send(const cli::MoverOptions& options, cli::Console& console);
int run_mover_backup(const cli::RepositoryOptions& options, cli::Console& console);
int run_mover_restore(const cli::RepositoryOptions& options, cli::Console& console);
int run_mover_prune(const cli::RepositoryOptions& options, cli::Console& console);

}  // namespace mtc::app
