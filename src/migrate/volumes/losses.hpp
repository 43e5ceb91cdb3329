#pragma once

#include <vector>

#include "migrate/volumes/progress.hpp"

namespace mtc::migrate::volumes {

/// Conditions of a copy that succeeded and is not whole all the same. Both are Warn and durable, and are shown on the
/// MigMigration too: nobody shall take such a copy for a complete one.
inline constexpr auto kFilesSkipped = "VolumeFilesSkipped";
inline constexpr auto kAttributesNotKept = "VolumeAttributesNotKept";

/// Sets them from what the movers of the claims (in the order of the spec) reported at their end.
void tell_losses(Copying& c, const std::vector<Seen>& seen);

}  // namespace mtc::migrate::volumes
