#pragma once

#include <functional>
#include <memory>

#include "control/pass.hpp"
#include "control/reconciler.hpp"
#include "migrate/advance.hpp"
#include "migrate/jobs.hpp"
#include "migrate/volumes/relays.hpp"
#include "migrate/volumes/settings.hpp"
#include "plan/connections.hpp"
#include "plan/settings.hpp"
#include "plan/types.hpp"

namespace mtc::control {

/// What a reconciler of ours is made from; all of it outlives the reconciler.
struct Parts {
  const Services* services = nullptr;
  plan::Connections* connections = nullptr;
  kube::EventRecorder* recorder = nullptr;
  migrate::Jobs* jobs = nullptr;
  migrate::volumes::Relays* relays = nullptr;
  plan::Settings settings;
  migrate::volumes::Settings volumes;
  std::function<void(kube::ObjectKey)> wake_migration;
};

/// What a walk along an itinerary asks for, as a pass asks for it.
Result result_of(migrate::Advance next);

/// Our kinds.
namespace types = plan::types;

std::shared_ptr<Reconciler> make_cluster_reconciler(Parts parts);
std::shared_ptr<Reconciler> make_storage_reconciler(Parts parts);
std::shared_ptr<Reconciler> make_plan_reconciler(Parts parts);
std::shared_ptr<Reconciler> make_migration_reconciler(Parts parts);
std::shared_ptr<Reconciler> make_volume_migration_reconciler(Parts parts);
std::shared_ptr<Reconciler> make_volume_progress_reconciler(Parts parts);

}  // namespace mtc::control
