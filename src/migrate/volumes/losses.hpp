#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/condition.hpp"
#include "api/kinds.hpp"
#include "migrate/volumes/mover_report.hpp"

namespace mtc::migrate::volumes {

/// Conditions of a copy that succeeded and is not whole all the same. Both are Warn and durable, and are shown on the
/// MigMigration too: nobody shall take such a copy for a complete one.
inline constexpr auto kFilesSkipped = "VolumeFilesSkipped";
inline constexpr auto kAttributesNotKept = "VolumeAttributesNotKept";

/// What the movers of several claims could not carry, as they reported it at their end.
class Losses {
 public:
  /// Both ends of a copy report the same; it counts once.
  void add(const api::Ref& claim, const std::optional<Report>& report);
  /// Sets the conditions, if there is anything to tell.
  void tell(api::Conditions& conditions) const;

 private:
  std::set<std::string> skipped_, notes_;  ///< "shop/data: deep/file"
};

}  // namespace mtc::migrate::volumes
