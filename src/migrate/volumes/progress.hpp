#pragma once

#include <map>
#include <string>
#include <vector>

#include "migrate/volumes/operations.hpp"

namespace mtc::migrate::volumes {

/// The pods of one operation, as seen in this pass.
struct Seen {
  PodView sender, receiver;
};

/// Writes runningPods, successfulPods, failedPods, pendingPods, unknownPods and pendingSinceTimeLimitPods anew (spec
/// direct-volume.md §12.3). `progresses` are the DirectVolumeMigrationProgress objects by name: percent, rate and time
/// are theirs.
void write_lists(const Copying& c, const std::vector<Operation>& operations, const std::vector<Seen>& seen,
                 const std::map<std::string, Json>& progresses, Json& status);

/// Senders that have waited too long, as "ns/name".
std::vector<std::string> late_senders(const std::vector<Operation>& operations, const std::vector<Seen>& seen,
                                      Time now);

/// The new status of a DirectVolumeMigrationProgress (spec direct-volume.md §12.2): `pods` are all attempts at its
/// claim, `log` the end of the newest one's log. Percentages and exit codes of one attempt are never taken for those of
/// the next.
Json progress_status(const Json& before, const std::vector<Json>& pods, const std::string& log, Time now);
/// The newest of the pods: by attempt, then by time; nullptr if there is none.
const Json* newest(const std::vector<Json>& pods);

/// "42%" of the last line that tells it, and "12.34MB/s" likewise; "" if none does. Lines of movers, and those that
/// rsync prints.
std::string percent_in(const std::string& log);
std::string rate_in(const std::string& log);
/// The last lines for a person: what a mover says in words, other lines as they are.
std::string tail_of(const std::string& log);

}  // namespace mtc::migrate::volumes
