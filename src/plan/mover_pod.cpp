#include "plan/mover_pod.hpp"

#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "plan/cluster_settings.hpp"

namespace mtc::plan {
namespace {

constexpr auto kImage = "ghcr.io/mtc/mtc:" MTC_VERSION;

/// The node of a device is root's, or that of whom the container runs as; some drivers give it to others.
Json capabilities_of(const Mover& mover) {
  if (mover.device) return Json::array({"DAC_OVERRIDE"});
  return Json::array({"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "SETFCAP"});
}

Json security_context(const MoverUser& who) {
  Json out = {{"runAsNonRoot", true},
              {"allowPrivilegeEscalation", false},
              {"seccompProfile", {{"type", "RuntimeDefault"}}},
              {"capabilities", {{"drop", Json::array({"ALL"})}}}};
  if (who.user) out["runAsUser"] = *who.user;
  if (who.group) out["runAsGroup"] = *who.group;
  return out;
}

/// A new volume is root's; whoever shall write into it needs a group of it. One that is read stays as it is.
std::optional<std::int64_t> fs_group_of(const Mover& mover) {
  const auto& who = *mover.restricted;
  return who.fs_group || mover.reads_only ? who.fs_group : who.group;
}

Json pod_security_context(const Mover& mover) {
  Json out = Json::object();
  if (const auto group = fs_group_of(mover)) out = {{"fsGroup", *group}, {"fsGroupChangePolicy", "OnRootMismatch"}};
  if (!mover.restricted->groups.empty()) out["supplementalGroups"] = mover.restricted->groups;
  return out;
}

Json security_context(const Mover& mover) {
  if (mover.restricted) return security_context(*mover.restricted);
  return {{"runAsUser", 0},
          {"runAsGroup", 0},
          {"allowPrivilegeEscalation", false},
          {"seccompProfile", {{"type", "RuntimeDefault"}}},
          {"capabilities", {{"drop", Json::array({"ALL"})}, {"add", capabilities_of(mover)}}}};
}

Json container_of(const Mover& mover) {
  const Json pod_ip = {{"name", "POD_IP"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "status.podIP"}}}}}};
  const Json identity = {{"name", "identity"}, {"mountPath", kIdentity}, {"readOnly", true}};
  const Json resources = {{"requests", {{"cpu", "100m"}, {"memory", "128Mi"}}},
                          {"limits", {{"cpu", "2"}, {"memory", "1Gi"}}}};
  Json container = {{"name", kMoverContainer},
                    {"image", mover.image},
                    {"imagePullPolicy", "IfNotPresent"},
                    {"args", mover.args},
                    {"env", Json::array({pod_ip})},
                    {"volumeMounts", Json::array({identity})},
                    {"resources", resources},
                    {"securityContext", security_context(mover)}};
  if (mover.device) {
    // Whoever only reads it opens it so: `readOnly` would be the claim's, and a driver may refuse to publish that.
    container["volumeDevices"] = Json::array({{{"name", "volume"}, {"devicePath", kDevice}}});
  } else {
    const Json volume = {{"name", "volume"}, {"mountPath", kVolume}, {"readOnly", mover.reads_only}};
    container["volumeMounts"].insert(container["volumeMounts"].begin(), volume);
  }
  return container;
}

/// A kubelet writes the file anew when the annotation changes.
void add_budget(const Mover& mover, Json& pod) {
  const auto path = fmt::format("metadata.annotations['{}']", api::annotations::kBudget);
  const Json item = {{"path", "budget"}, {"fieldRef", {{"fieldPath", path}}}};
  const Json volume = {{"name", "budget"}, {"downwardAPI", {{"items", Json::array({item})}}}};
  const Json mount = {{"name", "budget"}, {"mountPath", "/etc/mtc-budget"}, {"readOnly", true}};
  pod["metadata"]["annotations"] = {{api::annotations::kBudget, *mover.budget}};
  auto& spec = pod["spec"];
  spec["volumes"].push_back(volume);
  spec["containers"][0]["volumeMounts"].push_back(mount);
  for (const auto* word : {"--budget", kBudgetFile}) spec["containers"][0]["args"].push_back(word);
}

/// An affinity, so that the scheduler minds taints and room.
Json on_node(const std::string& node) {
  const Json field = {{"key", "metadata.name"}, {"operator", "In"}, {"values", Json::array({node})}};
  const Json term = {{"matchFields", Json::array({field})}};
  return {{"nodeAffinity",
           {{"requiredDuringSchedulingIgnoredDuringExecution", {{"nodeSelectorTerms", Json::array({term})}}}}}};
}

}  // namespace

Json pod_of(const Mover& mover) {
  const Json volume = {{"name", "volume"}, {"persistentVolumeClaim", {{"claimName", mover.claim}}}};
  const int mode = mover.restricted ? 0444 : 0400;  // files of a Secret are root's
  const Json identity = {{"name", "identity"}, {"secret", {{"secretName", mover.secret}, {"defaultMode", mode}}}};
  Json spec = {{"restartPolicy", "Never"},
               {"automountServiceAccountToken", false},
               {"enableServiceLinks", false},
               {"terminationGracePeriodSeconds", 10},
               {"containers", Json::array({container_of(mover)})},
               {"volumes", Json::array({volume, identity})}};
  if (mover.restricted) spec["securityContext"] = pod_security_context(mover);
  if (!mover.node.empty()) spec["affinity"] = on_node(mover.node);
  Json pod = {{"apiVersion", "v1"},
              {"kind", "Pod"},
              {"metadata", {{"namespace", mover.ns}, {"name", mover.name}, {"labels", mover.labels}}},
              {"spec", std::move(spec)}};
  if (mover.budget) add_budget(mover, pod);
  return pod;
}

Task<std::string> mover_image(kube::ClientPtr cluster) {
  const auto image = co_await cluster_setting(std::move(cluster), "RSYNC_TRANSFER_IMAGE");
  co_return image.empty() ? kImage : image;
}

}  // namespace mtc::plan
