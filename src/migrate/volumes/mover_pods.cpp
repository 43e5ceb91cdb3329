#include "migrate/volumes/mover_pods.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "api/names.hpp"
#include "migrate/volumes/endpoints.hpp"
#include "migrate/volumes/mover_report.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr auto kImage = "ghcr.io/mtc/mtc:" MTC_VERSION;
constexpr auto kVolume = "/volume";
constexpr auto kIdentity = "/etc/mtc-mover";

struct Mover {
  std::string ns, name, image, claim, secret;
  Json labels;
  std::vector<std::string> args;
  bool reads_only = false;
};

/// What a file tree needs to be written as it was, and no more than Pod Security "baseline" allows.
Json security_context() {
  return {{"runAsUser", 0},
          {"runAsGroup", 0},
          {"allowPrivilegeEscalation", false},
          {"seccompProfile", {{"type", "RuntimeDefault"}}},
          {"capabilities",
           {{"drop", Json::array({"ALL"})},
            {"add", Json::array({"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "SETFCAP"})}}}};
}

Json container_of(const Mover& mover) {
  const Json pod_ip = {{"name", "POD_IP"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "status.podIP"}}}}}};
  const Json volume = {{"name", "volume"}, {"mountPath", kVolume}, {"readOnly", mover.reads_only}};
  const Json identity = {{"name", "identity"}, {"mountPath", kIdentity}, {"readOnly", true}};
  const Json resources = {{"requests", {{"cpu", "100m"}, {"memory", "128Mi"}}},
                          {"limits", {{"cpu", "2"}, {"memory", "1Gi"}}}};
  return {{"name", kContainer},
          {"image", mover.image},
          {"imagePullPolicy", "IfNotPresent"},
          {"args", mover.args},
          {"env", Json::array({pod_ip})},
          {"volumeMounts", Json::array({volume, identity})},
          {"resources", resources},
          {"securityContext", security_context()}};
}

Json pod_of(const Mover& mover) {
  const Json volume = {{"name", "volume"}, {"persistentVolumeClaim", {{"claimName", mover.claim}}}};
  const Json identity = {{"name", "identity"}, {"secret", {{"secretName", mover.secret}, {"defaultMode", 0400}}}};
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"namespace", mover.ns}, {"name", mover.name}, {"labels", mover.labels}}},
          {"spec",
           {{"restartPolicy", "Never"},
            {"automountServiceAccountToken", false},
            {"enableServiceLinks", false},
            {"terminationGracePeriodSeconds", 10},
            {"containers", Json::array({container_of(mover)})},
            {"volumes", Json::array({volume, identity})}}}};
}

Json on_node(const std::string& node) {
  const Json field = {{"key", "metadata.name"}, {"operator", "In"}, {"values", Json::array({node})}};
  const Json term = {{"matchFields", Json::array({field})}};
  return {{"nodeAffinity",
           {{"requiredDuringSchedulingIgnoredDuringExecution", {{"nodeSelectorTerms", Json::array({term})}}}}}};
}

bool mounts(const Json& pod, const std::string& claim) {
  return std::ranges::any_of(array_at(pod, "spec.volumes"), [&](const Json& volume) {
    return string_at(volume, "persistentVolumeClaim.claimName") == claim;
  });
}

bool is_of_one_node(const Json& claim) {
  const auto modes = strings_at(claim, "spec.accessModes");
  return std::ranges::none_of(
      modes, [](const std::string& mode) { return mode == "ReadWriteMany" || mode == "ReadOnlyMany"; });
}

}  // namespace

Task<std::string> mover_image(kube::ClientPtr cluster) {
  const auto image = co_await cluster_setting(std::move(cluster), "RSYNC_TRANSFER_IMAGE");
  co_return image.empty() ? kImage : image;
}

Json receiver_pod(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt, const std::string& image) {
  Mover mover{.ns = claim.target.ns,
              .name = receiver_name(c, claim, attempt),
              .image = image,
              .claim = claim.target.name,
              .secret = receiver_secret(c),
              .labels = receiver_labels(c, claim, attempt),
              .args = {"mover", "receive", "--volume", kVolume, "--listen", fmt::format("$(POD_IP):{}", kPort), "--tls",
                       kIdentity}};
  if (claim.verify || c.is_cutover()) mover.args.emplace_back("--verify");
  return pod_of(mover);
}

Json sender_pod(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt, const std::string& image,
                const std::vector<std::string>& addresses, const std::string& node) {
  Mover mover{.ns = claim.source.ns,
              .name = sender_name(c, claim, attempt),
              .image = image,
              .claim = claim.source.name,
              .secret = sender_secret(c),
              .labels = sender_labels(c, claim, attempt),
              .args = {"mover", "send", "--volume", kVolume},
              .reads_only = true};
  for (const auto& address : addresses) mover.args.insert(mover.args.end(), {"--to", address});
  mover.args.insert(mover.args.end(), {"--tls", kIdentity, "--mode", c.is_cutover() ? "cutover" : "stage"});
  // Files of the same size and time are the same, unless a user wants to know.
  if (claim.verify) mover.args.emplace_back("--by-hash");
  auto pod = pod_of(mover);
  if (!node.empty()) pod["spec"]["affinity"] = on_node(node);
  return pod;
}

Task<std::string> node_of_user(Copying& c, api::ClaimCopy claim, Json source_claim) {
  if (!is_of_one_node(source_claim)) co_return "";
  for (const auto& pod : co_await kube::list_all(*c.source, kube::types::pods(), claim.source.ns)) {
    const bool helper = !kube::label(pod, api::labels::kDirectVolumeMigration).empty();
    if (!helper && string_at(pod, "status.phase") == "Running" && mounts(pod, claim.source.name))
      co_return string_at(pod, "spec.nodeName");
  }
  co_return "";
}

}  // namespace mtc::migrate::volumes
