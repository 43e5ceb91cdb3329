#pragma once

#include "kube/client.hpp"

namespace mtc::plan::types {

/// Our kinds as a client of a cluster names them.
const kube::ResourceType& mig_clusters();
const kube::ResourceType& mig_storages();
const kube::ResourceType& mig_plans();
const kube::ResourceType& mig_migrations();
const kube::ResourceType& direct_volume_migrations();
const kube::ResourceType& volume_progresses();

}  // namespace mtc::plan::types
