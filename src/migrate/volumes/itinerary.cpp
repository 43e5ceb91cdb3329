#include "migrate/volumes/itinerary.hpp"

namespace mtc::migrate::volumes {
namespace {

std::vector<Row> rows(std::initializer_list<std::string_view> phases) {
  std::vector<Row> out;
  out.reserve(phases.size());
  for (const auto phase : phases) out.push_back({phase, "", {}});
  return out;
}

}  // namespace

const Itinerary& copy_itinerary() {
  static const Itinerary itinerary{"VolumeMigration", rows({"",
                                                            "Started",
                                                            "Prepare",
                                                            "CleanStaleRsyncResources",
                                                            "WaitForStaleRsyncResourcesTerminated",
                                                            "VerifyVMs",
                                                            "CreateDestinationNamespaces",
                                                            "DestinationNamespacesCreated",
                                                            "CreateDestinationPVCs",
                                                            "DeleteStaleVirtualMachineInstanceMigrations",
                                                            "CreateRsyncRoute",
                                                            "EnsureRsyncRouteAdmitted",
                                                            "CreateRsyncConfig",
                                                            "CreateStunnelConfig",
                                                            "CreatePVProgressCRs",
                                                            "CreateRsyncTransferPods",
                                                            "WaitForRsyncTransferPodsRunning",
                                                            "RunRsyncOperations",
                                                            "DeleteRsyncResources",
                                                            "WaitForRsyncResourcesTerminated",
                                                            "CleanupStaleVirtHandlerPods",
                                                            "Completed"})};
  return itinerary;
}

const Itinerary& rollback_itinerary() {
  // Only virtual machines move their volumes back, and those are not moved: RunRsyncOperations has nothing to do.
  static const Itinerary itinerary{
      "VolumeMigrationRollback",
      rows({"", "Started", "Prepare", "CleanStaleRsyncResources", "DeleteStaleVirtualMachineInstanceMigrations",
            "WaitForStaleRsyncResourcesTerminated", "RunRsyncOperations", "CleanupStaleVirtHandlerPods", "Completed"})};
  return itinerary;
}

const Itinerary& failed_itinerary() {
  static const Itinerary itinerary{"VolumeMigrationFailed", rows({"MigrationFailed", "Completed"})};
  return itinerary;
}

const Itinerary& itinerary_of(const api::DirectVolumeMigration& self, const api::Conditions& conditions) {
  if (!self.errors.empty() || conditions.has("Failed")) return failed_itinerary();
  return self.type == api::CopyType::kRollback ? rollback_itinerary() : copy_itinerary();
}

}  // namespace mtc::migrate::volumes
