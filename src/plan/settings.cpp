#include "plan/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/strings.hpp"

namespace mtc::plan {
namespace {

constexpr auto kExcluded =
    "imagetags,templateinstances,clusterserviceversions,packagemanifests,subscriptions,servicebrokers,servicebindings,"
    "serviceclasses,serviceinstances,serviceplans,operatorgroups,events,events.events.k8s.io,"
    "rolebindings.authorization.openshift.io";

std::size_t number_or(const char* text, std::size_t preset) {
  if (text == nullptr) return preset;
  const std::string_view view(text);
  std::size_t value = 0;
  const auto [end, failure] = std::from_chars(view.data(), view.data() + view.size(), value);
  return failure == std::errc{} && end == view.data() + view.size() ? value : preset;
}

}  // namespace

Settings Settings::from(const std::function<const char*(const char*)>& lookup) {
  Settings out;
  out.namespace_limit = number_or(lookup("NAMESPACE_LIMIT"), out.namespace_limit);
  out.pod_limit = number_or(lookup("POD_LIMIT"), out.pod_limit);
  out.pv_limit = number_or(lookup("PV_LIMIT"), out.pv_limit);
  if (const auto* classes = lookup("PV_MOVE_STORAGECLASSES")) out.moved_classes = split(classes, ',');
  const auto* excluded = lookup("EXCLUDED_RESOURCES");
  out.excluded_resources = split(excluded == nullptr ? kExcluded : excluded, ',');
  const auto* resizes = lookup("ENABLE_DVM_PV_RESIZING");
  out.resizes_volumes = resizes != nullptr && std::string_view(resizes) == "true";
  if (const auto* subdomain = lookup("CLUSTER_SUBDOMAIN")) out.cluster_subdomain = subdomain;
  return out;
}

bool Settings::excludes_volumes() const {
  return std::ranges::any_of(excluded_resources, [](const std::string& name) {
    return name == "persistentvolumes" || name == "persistentvolumeclaims";
  });
}

Settings Settings::from_environment() {
  return from([](const char* name) { return std::getenv(name); });
}

}  // namespace mtc::plan
