#include "backup/restore_order.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace mtc::backup {
namespace {

constexpr std::array kFirst = {"customresourcedefinitions.apiextensions.k8s.io",
                               "namespaces",
                               "storageclasses.storage.k8s.io",
                               "persistentvolumes",
                               "persistentvolumeclaims",
                               "clusterroles.rbac.authorization.k8s.io",
                               "roles.rbac.authorization.k8s.io",
                               "serviceaccounts",
                               "clusterrolebindings.rbac.authorization.k8s.io",
                               "rolebindings.rbac.authorization.k8s.io",
                               "secrets",
                               "configmaps",
                               "limitranges",
                               "priorityclasses.scheduling.k8s.io",
                               "pods",
                               "replicasets.apps",
                               "clusterclasses.cluster.x-k8s.io",
                               "endpoints",
                               "services"};
constexpr std::array kLast = {"clusterbootstraps.run.tanzu.vmware.com", "clusters.cluster.x-k8s.io",
                              "clusterresourcesets.addons.cluster.x-k8s.io", "apps.kappctrl.k14s.io",
                              "packageinstalls.packaging.carvel.dev"};

std::tuple<int, std::size_t, std::string> place_of(const std::string& name) {
  if (const auto at = std::ranges::find(kFirst, name); at != kFirst.end())
    return {0, static_cast<std::size_t>(at - kFirst.begin()), ""};
  if (const auto at = std::ranges::find(kLast, name); at != kLast.end())
    return {2, static_cast<std::size_t>(at - kLast.begin()), ""};
  return {1, 0, name};
}

}  // namespace

std::vector<std::string> restore_order(std::vector<std::string> group_resources) {
  std::ranges::sort(group_resources, {}, place_of);
  return group_resources;
}

}  // namespace mtc::backup
