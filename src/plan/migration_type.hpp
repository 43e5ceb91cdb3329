#pragma once

#include <vector>

#include "api/condition.hpp"
#include "api/kinds.hpp"
#include "plan/checks.hpp"

namespace mtc::plan {

/// Whether two MigClusters are one cluster: the same MigCluster, both the host, or of the same host and port in their
/// URLs (spec conditions.md §6.4).
bool are_one_cluster(const api::MigCluster& source, const api::MigCluster& destination);
/// Whether every namespace of the plan keeps its name.
bool keeps_namespaces(const api::MigPlan& plan);
/// Whether a plan converts storage classes: within one cluster, its claims get successors in their own namespaces.
/// Such a plan needs no MigStorage, and carries nothing but volumes.
bool is_conversion(const api::MigPlan& plan, bool within_one_cluster);

/// Sets MigrationTypeIdentified: what kinds of migrations the plan is for (spec conditions.md §6.4). Needs check_plan
/// to have looked at the clusters. `newest_first` are the plan's migrations.
void identify_type(const api::MigPlan& plan, const PlanWorld& world, const std::vector<Json>& newest_first,
                   api::Conditions* conditions);

}  // namespace mtc::plan
