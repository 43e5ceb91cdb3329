#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "blob/store.hpp"
#include "json/json.hpp"
#include "kube/client.hpp"

namespace mtc::backup {

/// What became of one source object. Every object that was looked at has exactly one.
struct ItemResult {
  enum class Fate {
    kStored,       ///< backup: is in the archive, unchanged
    kRestored,     ///< restore: created on the destination, identical but for what the cluster assigns
    kTransformed,  ///< restore: created or merged with the changes in `detail`
    kSkipped,      ///< left out on purpose; `detail` says why
    kFailed,       ///< could not be stored or restored; `detail` says why
  } fate = Fate::kStored;
  std::string group_resource;  ///< "deployments.apps"
  std::string version;         ///< "v1"
  std::string kind;
  std::string ns;  ///< of the source; "" for cluster-scoped
  std::string name;
  std::string detail;
  bool conflict = false;  ///< kSkipped because the destination holds another object of that name
};

struct Progress {
  std::int64_t done = 0;
  std::int64_t total = 0;
};

struct Outcome {
  std::vector<ItemResult> items;
  std::vector<std::string> warnings;                   ///< about the whole, such as a group whose discovery failed
  std::map<std::string, std::int64_t> counts() const;  ///< by fate: {"stored": 41, "failed": 0, …}
  bool complete() const;                               ///< no item kFailed
};

/// Calls come on the event loop, at most a few times a second, and once at the end.
using OnProgress = std::function<void(Progress)>;

struct Environment {
  kube::ClientPtr cluster;
  blob::StorePtr store;
  std::string prefix = "velero";  ///< of the BackupStorageLocation, without trailing '/'
  const Clock* clock = nullptr;   ///< null = the machine's
  /// The PodVolumeBackups that belong to a backup, for its companion file.
  std::vector<Json> pod_volume_backups = {};
};

/// Carries out a velero.io/v1 Backup: collects the objects its spec selects, streams them to
/// `<prefix>/backups/<name>/<name>.tar.gz`, writes the companion files, and publishes velero-backup.json last
/// (velero.md §2), so a half-written backup is never seen. Repeating it after a crash is safe: an unfinished upload of
/// the same name is replaced; a published one of the same uid is returned as it is.
///
/// `backup` is the whole Backup object; the caller keeps its status in the cluster. Objects that vanish between list
/// and read are left out. An object that cannot be stored is kFailed in the outcome, not an Error; Errors are for the
/// store, the API as a whole, or an invalid spec.
Task<Outcome> run_backup(Environment environment, Json backup, OnProgress on_progress);

/// Carries out a velero.io/v1 Restore of the backup it names, in Velero's order (velero.md §4.2), with namespace
/// mapping, and writes
/// `<prefix>/restores/<name>/…`. Repeating it after a crash is safe: objects that this restore has already created
/// (label velero.io/restore-name) count as restored and are not created twice. An object that was there before and
/// differs is left as it is and is kSkipped with the difference in `detail`; one that is equal is kRestored.
Task<Outcome> run_restore(Environment environment, Json restore, OnProgress on_progress);

/// Velero's results file for an outcome: {"errors": {...}, "warnings": {...}} (velero.md §2.2).
Json results_file(const Outcome& outcome);

}  // namespace mtc::backup
