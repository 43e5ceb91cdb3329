#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/condition.hpp"
#include "api/kinds.hpp"
#include "backup/engine.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "blob/s3.hpp"
#include "kube/client.hpp"
#include "migrate/volumes/settings.hpp"
#include "plan/connections.hpp"
#include "plan/settings.hpp"

namespace mtc::migrate {

/// What wakes a migration that waits: a change of objects on a cluster.
struct Subject {
  kube::ClientPtr cluster;
  kube::ResourceType type;
  std::string ns;
  std::string label_selector;
};

/// How a step ended.
struct Outcome {
  enum class Kind { kDone, kWait, kFail } kind = Kind::kDone;
  std::vector<Subject> wake_on;         ///< kWait
  std::optional<Duration> again_after;  ///< kWait: look again then, in any case
  std::string failed_phase;             ///< kFail: the phase to show, "InitialBackupFailed"
  std::vector<std::string> reasons;     ///< kFail
};
Outcome done();
/// Waits for a change of `wake_on`, and looks again after `at_most` even without one.
Outcome wait_for(std::vector<Subject> wake_on, Duration at_most);
Outcome fail(std::string phase, std::vector<std::string> reasons);
/// What a step's Error means: one that can never work fails with its cause; others are thrown on, and tried again by
/// the queue.
Outcome judged(const Error& error);

/// Backups and restores that run in the background, one for each Velero object. A controller that was killed has none:
/// the step that finds its Backup unfinished starts it anew, which is safe (backup/engine.hpp).
class Jobs {
 public:
  enum class State { kRunning, kDone, kFailed };
  struct View {
    State state = State::kRunning;
    backup::Progress progress;
    const backup::Outcome* outcome = nullptr;  ///< kDone
    std::optional<Error> error;                ///< kFailed
  };
  using Work = std::function<Task<backup::Outcome>(backup::OnProgress)>;

  virtual ~Jobs() = default;
  /// The job of that key; started now if there is none. `wake` is called when it moves on, at most about once a second,
  /// and when it ends.
  virtual View ensure(const std::string& key, Work work, std::function<void()> wake) = 0;
  virtual void forget(const std::string& key) = 0;
};

/// What holds of a migration when its rows are chosen (spec migration.md §6).
struct Flags {
  bool quiesce = false, verify = false, has_pvs = false, has_stage_pods = false, has_image_streams = false,
       has_stage_backup = false, storage_conversion = false, live_vms = false;
  bool direct_image = false, indirect_image = false, enable_image = false;
  bool direct_volume = false, indirect_volume = false, enable_volume = false;
};

/// Everything a step works with. Lives for one pass; steps take it by reference.
struct Migration {
  api::MigMigration self;
  api::MigPlan plan;
  Json plan_object;
  std::optional<api::MigStorage> storage;
  kube::ClientPtr host, source, destination;
  std::string host_id;  ///< plan::Connections::host_id
  plan::Connections* connections = nullptr;
  blob::StorePtr store;
  blob::S3Options bucket;  ///< how movers reach `store`; only of a plan with volumes that go through it
  Jobs* jobs = nullptr;
  const Clock* clock = nullptr;
  Rng* rng = nullptr;
  volumes::Settings volumes;
  plan::Settings settings;
  api::Conditions* conditions = nullptr;
  std::function<void()> wake;  ///< enqueues this migration
  Time phase_since{};          ///< when the current phase was entered
  Flags flags;
  std::string description;            ///< replaces the phase's own in the pipeline while a step waits, if not empty
  std::vector<std::string> progress;  ///< replaces the current pipeline step's lines, if not empty

  std::vector<std::string> source_namespaces() const;
  std::vector<std::string> destination_namespaces() const;
  /// Claims of the volumes that the plan takes along, on the source.
  std::set<kube::ObjectKey> source_claims() const;
  /// What they become on the destination.
  std::set<kube::ObjectKey> target_claims() const;
  /// "<migration>-<kind>-<part of the UID>": the same for every try, so that a killed controller never makes a second
  /// one.
  std::string velero_name(std::string_view kind) const;
  /// Labels of everything that belongs to this migration.
  Json labels() const;
  /// How long the current phase has lasted.
  Duration in_phase() const;
};

}  // namespace mtc::migrate
