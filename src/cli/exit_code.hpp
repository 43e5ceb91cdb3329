#pragma once

namespace mtc::cli {

/// Exit codes (docs/reference/exit-codes.md).
enum ExitCode : int { kOk = 0, kFailed = 1, kUsage = 2, kMigrationFailed = 3, kNotReady = 4, kInterrupted = 130 };

}  // namespace mtc::cli
