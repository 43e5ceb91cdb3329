#include <fmt/format.h>

#include "migrate/volumes/advance.hpp"

namespace mtc::migrate::volumes {
namespace {

using enum api::Category;

void critical(api::Conditions& conditions, std::string type, std::string reason, std::string message) {
  conditions.set(
      {.type = std::move(type), .category = kCritical, .reason = std::move(reason), .message = std::move(message)});
}

void validate_cluster(const char* field, const std::string& side, const api::Ref& ref,
                      const std::optional<Json>& cluster, api::Conditions& conditions) {
  if (!ref.set()) {
    critical(conditions, fmt::format("Invalid{}ClusterRef", side), "NotSet",
             fmt::format("The `{}` must name a MigCluster and its namespace.", field));
  } else if (!cluster) {
    critical(conditions, fmt::format("Invalid{}ClusterRef", side), "NotFound",
             fmt::format("The `{}` must name a MigCluster that exists, subject: {}.", field, ref.str()));
  } else if (!api::has_condition(*cluster, "Ready")) {
    critical(conditions, fmt::format("{}ClusterNotReady", side), "NotReady",
             fmt::format("The referenced `{}` is not ready, subject: {}. See its conditions.", field, ref.str()));
  }
}

}  // namespace

void validate(const api::DirectVolumeMigration& self, const ClusterObjects& clusters, api::Conditions& conditions) {
  validate_cluster("srcMigClusterRef", "Source", self.source, clusters.source, conditions);
  validate_cluster("destMigClusterRef", "Destination", self.destination, clusters.destination, conditions);
  if (!self.has_claims) {
    critical(conditions, "InvalidPVCs", "NotSet",
             "The `persistentVolumeClaims` must list the claims to copy; it may be an empty list.");
  }
}

Task<void> validate_claims(api::DirectVolumeMigration self, kube::ClientPtr source, api::Conditions* conditions) {
  std::vector<std::string> absent;
  for (const auto& claim : self.claims) {
    const kube::ObjectKey key{claim.source.ns, claim.source.name};
    if (!co_await source->get(kube::types::persistent_volume_claims(), key)) absent.push_back(key.str());
  }
  if (absent.empty()) co_return;
  conditions->set({.type = "PodsNotFoundOnSourceCluster",
                   .category = kCritical,
                   .reason = "NotFound",
                   .message = "The PersistentVolumeClaims [] are not on the source cluster.",
                   .items = std::move(absent)});
}

}  // namespace mtc::migrate::volumes
