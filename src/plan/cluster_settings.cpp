#include "plan/cluster_settings.hpp"

#include <utility>

#include "api/names.hpp"

namespace mtc::plan {

Task<std::string> cluster_setting(kube::ClientPtr cluster, std::string key) {
  const auto map = co_await cluster->get(kube::types::config_maps(), {api::kNamespace, kClusterSettings});
  if (!map) co_return "";
  const auto* value = member(object_at(*map, "data"), key);
  co_return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

Task<std::string> endpoint_type(kube::ClientPtr destination) {
  return cluster_setting(std::move(destination), "RSYNC_ENDPOINT_TYPE");
}

}  // namespace mtc::plan
