#include "plan/claim_size.hpp"

#include "kube/quantity.hpp"

namespace mtc::plan {

std::string larger(const std::string& a, const std::string& b) { return kube::quantity(b) > kube::quantity(a) ? b : a; }

std::string requested_by(const Json& claim) { return string_at(claim, "spec.resources.requests.storage"); }

std::string size_of(const Json& claim) {
  auto size = string_at(claim, "status.capacity.storage");
  return size.empty() ? requested_by(claim) : size;
}

bool is_device(const Json& claim) { return string_at(claim, "spec.volumeMode") == "Block"; }

std::string target_request(const Json& source, const Json& volume, const std::string& capacity) {
  auto most = larger(requested_by(source), capacity);
  if (is_device(source)) most = larger(larger(most, size_of(source)), string_at(volume, "spec.capacity.storage"));
  return most;
}

std::string wanted_capacity(const Settings& settings, const api::PlanVolume& volume) {
  std::string wanted;
  if (volume.action == api::VolumeAction::kMove) return wanted;
  if (settings.resizes_volumes || volume.capacity_confirmed) wanted = larger(wanted, volume.proposed_capacity);
  if (settings.resizes_volumes) wanted = larger(wanted, volume.capacity);
  return wanted;
}

}  // namespace mtc::plan
