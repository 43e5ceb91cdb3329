#include <algorithm>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "migrate/volumes/itinerary.hpp"
#include "migrate/volumes/steps/steps.hpp"

namespace mtc::migrate::volumes {
namespace {

/// In the order of their first use.
const std::vector<Phase>& phases() {
  static const std::vector<Phase> all = {
      {"", "", pass},
      {"Started", "Direct volume migration started.", pass},
      {"Prepare", "Preparing the direct volume migration.", pass},
      {"CleanStaleRsyncResources", "Deleting what earlier direct volume migrations of the plan left behind.",
       clean_stale_resources},
      {"WaitForStaleRsyncResourcesTerminated", "Waiting for the leftovers of earlier direct volume migrations to go.",
       wait_for_stale_resources},
      {"VerifyVMs", "Verifying the volumes of virtual machines.", pass},
      {"CreateDestinationNamespaces", "Creating the target namespaces.", create_destination_namespaces},
      {"DestinationNamespacesCreated", "The target namespaces are there.", pass},
      {"CreateDestinationPVCs", "Creating the target PersistentVolumeClaims.", create_destination_claims},
      {"DeleteStaleVirtualMachineInstanceMigrations", "", pass},
      {"CreateRsyncRoute", "Creating one Service for each volume, by which the source reaches its receiver.",
       create_services},
      {"EnsureRsyncRouteAdmitted", "Waiting for the Services to have addresses.", ensure_services_usable},
      {"CreateRsyncConfig", "Creating the certificates by which both ends of each transfer know one another.",
       create_identities},
      {"CreateStunnelConfig", "Movers encrypt by themselves: there is no tunnel to create.", pass},
      {"CreatePVProgressCRs", "Creating DirectVolumeMigrationProgress resources, one for each volume.",
       create_progresses},
      {"CreateRsyncTransferPods", "Creating receiving Pods on the target cluster.", create_receivers},
      {"WaitForRsyncTransferPodsRunning", "Waiting for the receiving Pods to run.", wait_for_receivers},
      {"RunRsyncOperations", "Copying the volumes.", run_operations},
      {"DeleteRsyncResources", "Deleting the Pods, Services and Secrets of the transfer.", delete_resources},
      {"WaitForRsyncResourcesTerminated", "Waiting for the Pods, Services and Secrets of the transfer to go.",
       wait_for_resources_deleted},
      {"CleanupStaleVirtHandlerPods", "", pass},
      {"MigrationFailed", "Direct volume migration failed.", clean_up_failed},
      {"Completed", "Direct volume migration completed.", pass},
  };
  return all;
}

}  // namespace

const Phase& phase_of(std::string_view name) {
  const auto at = std::ranges::find(phases(), name, &Phase::name);
  if (at == phases().end()) throw Error(Code::kInternal, "no such phase: " + std::string(name));
  return *at;
}

}  // namespace mtc::migrate::volumes
