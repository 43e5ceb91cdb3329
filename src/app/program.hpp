#pragma once

namespace mtc::app {

/// The whole program: parses the command line, wires the parts, runs. Returns the exit code
/// (docs/reference/exit-codes.md).
int run_program(int argc, char** argv);

}  // namespace mtc::app
