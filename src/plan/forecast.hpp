#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "json/json.hpp"

namespace mtc::plan {

/// What a migration measured of the copy of its volumes, as its status.measured keeps it.
struct Copy {
  std::string migration;
  Time started{}, ended{};
  std::int64_t bytes = 0;            ///< of all volumes
  std::int64_t moved = 0;            ///< of them, what was not found in place
  bool verified = false;             ///< all of it was read back
  bool is_stage = false;             ///< the application went on
  std::optional<Duration> downtime;  ///< from stopping the application to the migration's end
  std::optional<Duration> forecast;  ///< of that downtime, when it began

  double seconds() const { return std::chrono::duration<double>(ended - started).count(); }
};
/// nullopt unless the migration has succeeded and measured all of its volumes.
std::optional<Copy> copy_of(const Json& migration);

/// How long a copy takes that moves so many bytes: `fixed` seconds, and `per_byte` for each.
struct Line {
  double fixed = 0;
  double per_byte = 0;  ///< 0 or more

  double seconds(double moved) const { return fixed + (per_byte * moved); }
};
/// The line nearest to the copies (least squares), as far as it can be one: neither part is below zero. One copy only,
/// or copies that all moved as much, tell no parts: their mean is fixed then. Of none, all is 0.
Line fit(const std::vector<Copy>& copies);

/// status.forecast of a plan, of its migrations in any order; null if none of them has measured a copy. What was not
/// measured is absent from it. Pure.
Json forecast_of(const std::vector<Json>& migrations);
/// How long a cutover that begins then keeps the application down, by status.forecast; nullopt if that says nothing.
std::optional<Duration> forecast_at(const Json& forecast, Time when);

}  // namespace mtc::plan
