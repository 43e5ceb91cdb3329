#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "cli/drawing.hpp"
#include "cli/session.hpp"
#include "json/fwd.hpp"

namespace mtc::cli {

/// The pipeline of a MigMigration: a mark, the step, how long it took or takes, what it does now.
std::vector<Line> pipeline_lines(const Json& migration, Time now);
std::string pipeline_text(const Json& migration, Time now);

/// What is new in the conditions of an object, a line each: "2021-02-02T15:04:09Z Running Started: Step: 2/47".
class EventLog {
 public:
  std::string news(const Json& object);

 private:
  std::map<std::string, std::string> told_;  ///< the last line of each condition's type
};

struct WatchOptions {
  Duration blocked_limit = std::chrono::minutes(1);  ///< how long a condition may keep the migration from beginning
  std::function<void(const Json&)> on_change = {};   ///< sees every state of the MigMigration
};

/// Follows a MigMigration to its end: redrawn in place on a terminal, one line an event elsewhere. Returns the exit
/// code: kOk succeeded, kMigrationFailed failed or canceled, kNotReady did not end.
Task<int> watch(Session session, std::string name, WatchOptions options = {});

}  // namespace mtc::cli
