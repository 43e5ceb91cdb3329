#include "plan/types.hpp"

#include "api/names.hpp"

namespace mtc::plan::types {

const kube::ResourceType& mig_clusters() {
  static const kube::ResourceType type{api::kGroup, api::kVersion, "migclusters", api::kMigCluster};
  return type;
}

const kube::ResourceType& mig_storages() {
  static const kube::ResourceType type{api::kGroup, api::kVersion, "migstorages", api::kMigStorage};
  return type;
}

const kube::ResourceType& mig_plans() {
  static const kube::ResourceType type{api::kGroup, api::kVersion, "migplans", api::kMigPlan};
  return type;
}

const kube::ResourceType& mig_migrations() {
  static const kube::ResourceType type{api::kGroup, api::kVersion, "migmigrations", api::kMigMigration};
  return type;
}

const kube::ResourceType& direct_volume_migrations() {
  static const kube::ResourceType type{api::kGroup, api::kVersion, "directvolumemigrations",
                                       api::kDirectVolumeMigration};
  return type;
}

const kube::ResourceType& volume_progresses() {
  static const kube::ResourceType type{api::kGroup, api::kVersion, "directvolumemigrationprogresses",
                                       api::kDirectVolumeMigrationProgress};
  return type;
}

}  // namespace mtc::plan::types
