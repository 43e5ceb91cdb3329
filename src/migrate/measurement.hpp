#pragma once

#include <string_view>
#include <vector>

#include "migrate/report/report.hpp"

namespace mtc::migrate {

// status.measured of a MigMigration: what the forecast of its plan is made from (plan/forecast.hpp). What could
// not be measured is absent.

/// Notes the time when a migration that has left one phase for another stops the application, or begins or ends to copy
/// volumes. Safe to repeat.
void note_passage(Json& status, std::string_view left, std::string_view next, Time now);
/// At the end: what the copies of all volumes came to, how long the application was down, and what `forecast`, the
/// plan's, had said of that.
void conclude(Json& status, const std::vector<report::VolumeResult>& volumes, const Json& forecast, Time now);

}  // namespace mtc::migrate
