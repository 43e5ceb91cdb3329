#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "plan/checks.hpp"
#include "plan/migration_type.hpp"
#include "plan/types.hpp"

namespace mtc::plan {
namespace {

using enum api::Category;

class PlanCheck {
 public:
  PlanCheck(Connections* connections, api::MigPlan plan, PlanWorld* world, api::Conditions* conditions)
      : connections_(connections), plan_(std::move(plan)), world_(world), conditions_(conditions) {}

  Task<void> run() {
    world_->source = co_await check_cluster_ref(plan_.source, "srcMigClusterRef", "InvalidSourceClusterRef",
                                                "SourceClusterNotReady", "source");
    world_->destination =
        co_await check_cluster_ref(plan_.destination, "dstMigClusterRef", "InvalidDestinationClusterRef",
                                   "DestinationClusterNotReady", "destination");
    classify();
    if (!world_->is_conversion) co_await check_storage_ref();
    check_identical_clusters();
    check_namespace_list();
    if (world_->source && api::has_condition(*world_->source, "Ready"))
      world_->source_client = co_await connections_->cluster(api::MigCluster::parse(*world_->source));
    if (world_->destination && api::has_condition(*world_->destination, "Ready")) {
      world_->destination_client = co_await connections_->cluster(api::MigCluster::parse(*world_->destination));
    }
    co_await check_source_namespaces();
    check_conflicts();
    check_hooks();
  }

 private:
  void critical(std::string type, std::string reason, std::string message, std::vector<std::string> items = {}) {
    conditions_->set({.type = std::move(type),
                      .category = kCritical,
                      .reason = std::move(reason),
                      .message = std::move(message),
                      .items = std::move(items)});
  }

  Task<std::optional<Json>> check_cluster_ref(api::Ref ref, std::string field, std::string invalid,
                                              std::string not_ready, std::string side) {
    if (!ref.set()) {
      critical(invalid, "NotSet", fmt::format("The `{}` must name a MigCluster and its namespace.", field));
      co_return std::nullopt;
    }
    auto cluster = co_await connections_->host()->get(types::mig_clusters(), {ref.ns, ref.name});
    if (!cluster) {
      critical(invalid, "NotFound",
               fmt::format("The `{}` must name a MigCluster that exists, subject: {}.", field, ref.str()));
    } else if (!api::has_condition(*cluster, "Ready")) {
      critical(not_ready, "",
               fmt::format("The {} cluster is not ready: see the conditions of MigCluster {}.", side, ref.str()));
    }
    co_return cluster;
  }

  Task<void> check_storage_ref() {
    if (!plan_.storage.set())
      co_return critical("InvalidStorageRef", "NotSet",
                         "The `migStorageRef` must name a MigStorage and its namespace.");
    world_->storage = co_await connections_->host()->get(types::mig_storages(), {plan_.storage.ns, plan_.storage.name});
    if (!world_->storage) {
      critical(
          "InvalidStorageRef", "NotFound",
          fmt::format("The `migStorageRef` must name a MigStorage that exists, subject: {}.", plan_.storage.str()));
    } else if (!api::has_condition(*world_->storage, "Ready")) {
      critical("StorageNotReady", "",
               fmt::format("The replication repository is not ready: see the conditions of MigStorage {}.",
                           plan_.storage.str()));
    }
  }

  void classify() {
    if (plan_.source.set() && plan_.source == plan_.destination) {
      world_->is_one_cluster = true;
    } else if (world_->source && world_->destination) {
      world_->is_one_cluster =
          are_one_cluster(api::MigCluster::parse(*world_->source), api::MigCluster::parse(*world_->destination));
    }
    world_->is_conversion = is_conversion(plan_, world_->is_one_cluster);
  }

  /// A plan within one cluster gives other names to all of its namespaces, or to none: then it converts storage
  /// classes.
  void check_identical_clusters() {
    if (!world_->is_one_cluster) return;
    if (plan_.indirect_volumes) {
      return critical("IntraClusterMigration", "NamespaceMigrationPlan",
                      "Source and destination are the same cluster, where volumes cannot be migrated through the "
                      "repository: set `indirectVolumeMigration: false`.");
    }
    const auto mapped =
        std::ranges::count_if(plan_.namespaces, [](const auto& ns) { return ns.source != ns.destination; });
    if (mapped == 0 || static_cast<std::size_t>(mapped) == plan_.namespaces.size()) return;
    critical("IntraClusterMigration", "ConflictingNamespaces",
             "Source and destination are the same cluster: either every namespace needs another name on the "
             "destination (source:destination), or none, to convert storage classes.");
  }

  void check_namespace_list() {
    if (plan_.namespaces.empty())
      return critical("NamespaceListEmpty", "NotFound", "The `namespaces` list may not be empty.");
    if (plan_.namespaces.size() > world_->settings.namespace_limit) {
      return critical("NamespaceLimitExceeded", "LimitExceeded",
                      fmt::format("The plan names {} namespaces; the limit is {} (NAMESPACE_LIMIT).",
                                  plan_.namespaces.size(), world_->settings.namespace_limit));
    }
    std::map<std::string, int> sources, destinations;
    std::vector<std::string> malformed;
    for (const auto& ns : plan_.namespaces) {
      ++sources[ns.source];
      ++destinations[ns.destination];
      if (!is_dns_label(ns.destination)) malformed.push_back(ns.destination);
    }
    const auto repeated = [](const std::map<std::string, int>& counts) {
      std::vector<std::string> names;
      for (const auto& [name, count] : counts) {
        if (count > 1) names.push_back(name);
      }
      return names;
    };
    if (auto names = repeated(sources); !names.empty()) {
      critical("DuplicateNamespaceOnSourceCluster", "DuplicateNamespaces",
               "Source namespaces [] are listed more than once.", std::move(names));
    }
    if (auto names = repeated(destinations); !names.empty()) {
      critical("DuplicateNamespaceOnDestinationCluster", "DuplicateNamespaces",
               "Several source namespaces are mapped to destination namespaces [].", std::move(names));
    }
    if (!malformed.empty()) {
      critical(
          "NamespaceNotDNSCompliant", "NotDNSCompliant",
          "Destination namespaces [] are no DNS labels: at most 63 of a-z, 0-9 and -, not beginning or ending with -.",
          std::move(malformed));
    }
  }

  Task<void> check_source_namespaces() {
    if (!world_->source_client || conditions_->has("DuplicateNamespaceOnSourceCluster") ||
        conditions_->has("NamespaceLimitExceeded"))
      co_return;
    std::vector<std::string> absent;
    for (const auto& ns : plan_.namespaces) {
      // What is no name at all cannot be asked for.
      if (!is_dns_label(ns.source) || !co_await world_->source_client->get(kube::types::namespaces(), {"", ns.source}))
        absent.push_back(ns.source);
    }
    if (!absent.empty())
      critical("NamespaceNotFoundOnSourceCluster", "NotFound", "Namespaces [] do not exist on the source cluster.",
               std::move(absent));
  }

  /// Two open plans that move one namespace between the same clusters would undo each other's work.
  void check_conflicts() {
    std::vector<std::string> conflicts;
    std::set<std::string> mine;
    for (const auto& ns : plan_.namespaces) mine.insert(ns.source);
    for (const auto& object : world_->plans) {
      const auto other = api::MigPlan::parse(object);
      if (other.self == plan_.self || other.closed) continue;
      const bool related = other.source == plan_.source || other.destination == plan_.destination ||
                           other.source == plan_.destination || other.destination == plan_.source;
      const bool shares =
          std::ranges::any_of(other.namespaces, [&](const auto& ns) { return mine.contains(ns.source); });
      if (related && shares) conflicts.push_back(other.self.name);
    }
    if (conflicts.empty()) return;
    conditions_->set({.type = "PlanConflict",
                      .category = kError,
                      .reason = "Conflict",
                      .message = "The plan is in conflict with plans []: they migrate the same namespaces.",
                      .items = std::move(conflicts)});
  }

  void check_hooks() {
    if (plan_.hooks == 0) return;
    critical("HooksNotSupported", "NotSupported",
             fmt::format("The plan has {} hooks, and this release does not run hooks: remove `hooks` from the plan.",
                         plan_.hooks));
  }

  Connections* connections_;
  api::MigPlan plan_;
  PlanWorld* world_;
  api::Conditions* conditions_;
};

}  // namespace

Task<void> check_plan(Connections* connections, api::MigPlan plan, PlanWorld* world, api::Conditions* conditions) {
  PlanCheck check(connections, std::move(plan), world, conditions);
  co_await check.run();
}

}  // namespace mtc::plan
