#include "sandbox/volumes.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "kube/quantity.hpp"
#include "sandbox/controller_tools.hpp"
#include "sandbox/storage_class.hpp"

namespace mtc::sandbox {
namespace {

constexpr auto kClaims = "persistentvolumeclaims";
constexpr auto kVolumes = "persistentvolumes";
constexpr auto kClasses = "storageclasses.storage.k8s.io";
constexpr auto kClaimInUse = "kubernetes.io/pvc-protection";
constexpr auto kVolumeInUse = "kubernetes.io/pv-protection";
constexpr auto kBindCompleted = "pv.kubernetes.io/bind-completed";
constexpr auto kBoundByController = "pv.kubernetes.io/bound-by-controller";
constexpr auto kProvisionedBy = "pv.kubernetes.io/provisioned-by";
constexpr auto kController = "persistentvolume-controller";

/// The claims that a pod mounts.
std::vector<std::string> claims_of(const Json& pod) {
  std::vector<std::string> out;
  for (const auto& volume : array_at(pod, "spec.volumes")) {
    if (auto claim = string_at(volume, "persistentVolumeClaim.claimName"); !claim.empty())
      out.push_back(std::move(claim));
  }
  return out;
}

bool mounts(const Json& pod, const Json& claim) {
  const auto claims = claims_of(pod);
  return std::ranges::find(claims, name_of(claim)) != claims.end();
}

bool has_ended(const Json& pod) {
  const auto phase = string_at(pod, "status.phase");
  return phase == "Succeeded" || phase == "Failed";
}

std::string requested(const Json& claim) { return string_at(claim, "spec.resources.requests.storage"); }
std::string capacity(const Json& volume) { return string_at(volume, "spec.capacity.storage"); }

/// How many bytes it asks for.
std::uint64_t bytes_of(const Json& claim) {
  constexpr double most = 0x1p62;
  return static_cast<std::uint64_t>(std::clamp(std::ceil(kube::quantity(requested(claim))), 0.0, most));
}

bool is_device(const Json& claim) { return string_at(claim, "spec.volumeMode") == "Block"; }

/// Whether a volume is set aside for a claim: for this very one, or for whoever has its name.
bool is_reserved_for(const Json& volume, const Json& claim) {
  const auto& reference = object_at(volume, "spec.claimRef");
  const auto uid = string_at(reference, "uid");
  return string_at(reference, "namespace") == ns_of(claim) && string_at(reference, "name") == name_of(claim) &&
         (uid.empty() || uid == uid_of(claim));
}

bool is_free(const Json& volume) { return object_at(volume, "spec.claimRef").empty() && !is_leaving(volume); }

/// Why a volume cannot serve a claim; "" = it can.
std::string mismatch(const Json& volume, const Json& claim) {
  if (kube::quantity(capacity(volume)) < kube::quantity(requested(claim))) return "requested PV is too small";
  if (class_of(volume).value_or("") != class_of(claim).value_or("")) return "storageClassName does not match";
  if (string_at(volume, "spec.volumeMode") != string_at(claim, "spec.volumeMode")) return "incompatible volumeMode";
  const auto offered = strings_at(volume, "spec.accessModes");
  for (const auto& mode : strings_at(claim, "spec.accessModes")) {
    if (std::ranges::find(offered, mode) == offered.end()) return "incompatible accessMode";
  }
  return "";
}

/// The VolumeSnapshot that a claim begins with; "" if it begins empty.
std::string snapshot_of(const Json& claim) {
  for (const auto* field : {"spec.dataSourceRef", "spec.dataSource"}) {
    if (string_at(object_at(claim, field), "kind") == "VolumeSnapshot")
      return string_at(object_at(claim, field), "name");
  }
  return "";
}

Json reference_to(const Json& claim) {
  return {{"apiVersion", "v1"},        {"kind", "PersistentVolumeClaim"},
          {"namespace", ns_of(claim)}, {"name", name_of(claim)},
          {"uid", uid_of(claim)},      {"resourceVersion", string_at(claim, "metadata.resourceVersion")}};
}

}  // namespace

std::filesystem::path directory_of(const Json& volume, const Folder& folder) {
  if (string_at(volume, "spec.csi.driver") == kCsiDriver)
    return folder.volume(string_at(volume, "spec.csi.volumeHandle"));
  return string_at(volume, "spec.hostPath.path");
}

void Volumes::look() {
  snapshots_.look();
  for (const auto& volume : objects_.storage().list(kVolumes, "")) {
    add_finalizer(objects_, built_in(kVolumes), *volume, kVolumeInUse);
    const auto now = objects_.storage().get({kVolumes, "", name_of(*volume)});
    try {
      on_volume(*now);
    } catch (const Error& error) {
      set_phase(*now, "Failed", error.what());
    }
  }
  for (const auto& claim : objects_.storage().list(kClaims, "")) {
    add_finalizer(objects_, built_in(kClaims), *claim, kClaimInUse);
    const auto now = objects_.storage().get({kClaims, ns_of(*claim), name_of(*claim)});
    try {
      on_claim(*now);
    } catch (const Error& error) {
      keep_waiting(*now, "Warning", "ProvisioningFailed", error.what());
    }
  }
}

void Volumes::set_phase(const Json& volume, const std::string& phase, const std::string& message) {
  Json status = object_at(volume, "status");
  if (string_at(status, "phase") == phase && string_at(status, "message") == message) return;
  status = {{"phase", phase}, {"lastPhaseTransitionTime", rfc3339(objects_.clock().now())}};
  if (!message.empty()) status["message"] = message;
  set_status(objects_, built_in(kVolumes), volume, std::move(status), kController);
}

void Volumes::on_volume(const Json& volume) {
  const auto uid = string_at(volume, "spec.claimRef.uid");
  const auto claim = objects_.storage().get(
      {kClaims, string_at(volume, "spec.claimRef.namespace"), string_at(volume, "spec.claimRef.name")});
  const bool in_use = claim && !uid.empty() && uid_of(*claim) == uid;
  if (is_leaving(volume)) {
    if (in_use) return;
    if (!uid.empty() && is_to_be_deleted(volume)) folder_.discard(directory_of(volume, folder_));
    return drop_finalizer(objects_, built_in(kVolumes), volume, kVolumeInUse);
  }
  if (uid.empty()) return set_phase(volume, "Available");
  if (!in_use) reclaim(volume);
}

/// Its claim is gone.
void Volumes::reclaim(const Json& volume) {
  if (string_at(volume, "spec.persistentVolumeReclaimPolicy") != "Delete") return set_phase(volume, "Released");
  if (!is_to_be_deleted(volume))
    return set_phase(
        volume, "Failed",
        fmt::format("{} is nothing that this cluster has made: it stays", directory_of(volume, folder_).string()));
  folder_.discard(directory_of(volume, folder_));
  objects_.remove(built_in(kVolumes), "", name_of(volume), Json::object());
  drop_finalizer(objects_, built_in(kVolumes), volume, kVolumeInUse);
}

/// Whether its files go with its claim. Whatever else a volume names is not this cluster's to delete.
bool Volumes::is_to_be_deleted(const Json& volume) const {
  return string_at(volume, "spec.persistentVolumeReclaimPolicy") == "Delete" && is_made_here(volume);
}

bool Volumes::is_made_here(const Json& volume) const {
  const auto* provisioner = member(object_at(volume, "metadata.annotations"), kProvisionedBy);
  return provisioner != nullptr && (*provisioner == kProvisioner || *provisioner == kCsiDriver) &&
         directory_of(volume, folder_) == folder_.volume(name_of(volume));
}

void Volumes::on_claim(const Json& claim) {
  const auto& claims = built_in(kClaims);
  if (is_leaving(claim)) {
    const auto pods = objects_.storage().list("pods", ns_of(claim));
    const bool in_use = std::ranges::any_of(pods, [&](const ObjectPtr& pod) {
      return !string_at(*pod, "spec.nodeName").empty() && !has_ended(*pod) && mounts(*pod, claim);
    });
    const auto made = "pvc-" + uid_of(claim);
    if (in_use || copies_.runs(folder_.volume(made))) return;
    if (!objects_.storage().get({kVolumes, "", made})) folder_.discard(folder_.volume(made));  // it was never bound
    drop_finalizer(objects_, claims, claim, kClaimInUse);
    return;
  }
  const auto name = string_at(claim, "spec.volumeName");
  if (!object_at(claim, "metadata.annotations").contains(kBindCompleted))
    return name.empty() ? find_volume(claim) : bind_to_named(claim, name);
  const auto volume = objects_.storage().get({kVolumes, "", name});
  if (volume && string_at(*volume, "spec.claimRef.uid") == uid_of(claim)) return bind(*grown(volume, claim), claim);
  auto status = object_at(claim, "status");
  status["phase"] = "Lost";
  set_status(objects_, claims, claim, std::move(status), kController);
  tell(objects_, claim,
       {"Warning", "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!", kController});
}

/// The volume, as large as its claim asks for by now. What this cluster has not made stays as it is.
ObjectPtr Volumes::grown(const ObjectPtr& volume, const Json& claim) {
  const auto size = kube::quantity(requested(claim));
  if (size <= kube::quantity(capacity(*volume)) || !is_made_here(*volume)) return volume;
  if (is_device(claim)) folder_.make_file(directory_of(*volume, folder_), bytes_of(claim));
  auto changed = *volume;
  changed["spec"]["capacity"]["storage"] = requested(claim);
  return rewrite(objects_, built_in(kVolumes), std::move(changed), {.manager = kController});
}

/// Writes what is not yet as of a bound pair: each in its turn, so that a process that is killed goes on where it was.
void Volumes::bind(const Json& volume, const Json& claim) {
  const auto& volumes = built_in(kVolumes);
  const auto& claims = built_in(kClaims);
  auto bound = std::make_shared<const Json>(volume);
  if (string_at(volume, "spec.claimRef.uid") != uid_of(claim)) {
    auto changed = volume;
    if (object_at(volume, "spec.claimRef").empty()) changed["metadata"]["annotations"][kBoundByController] = "yes";
    changed["spec"]["claimRef"] = reference_to(claim);
    bound = rewrite(objects_, volumes, std::move(changed), {.manager = kController});
  }
  set_phase(*bound, "Bound");
  auto owner = objects_.storage().get({kClaims, ns_of(claim), name_of(claim)});
  if (!object_at(*owner, "metadata.annotations").contains(kBindCompleted)) {
    auto changed = *owner;
    auto& annotations = changed["metadata"]["annotations"];
    annotations[kBindCompleted] = "yes";
    if (string_at(changed, "spec.volumeName").empty()) annotations[kBoundByController] = "yes";
    changed["spec"]["volumeName"] = name_of(volume);
    owner = rewrite(objects_, claims, std::move(changed), {.manager = kController});
  }
  set_status(objects_, claims, *owner,
             {{"phase", "Bound"},
              {"accessModes", array_at(volume, "spec.accessModes")},
              {"capacity", object_at(volume, "spec.capacity")}},
             kController);
}

void Volumes::keep_waiting(const Json& claim, const std::string& type, const std::string& reason,
                           const std::string& message) {
  tell(objects_, claim, {type, reason, message, kController});
}

void Volumes::bind_to_named(const Json& claim, const std::string& name) {
  const auto volume = objects_.storage().get({kVolumes, "", name});
  if (!volume || is_leaving(*volume)) return;  // it may come
  if (!is_free(*volume) && !is_reserved_for(*volume, claim))
    return keep_waiting(claim, "Warning", "FailedBinding",
                        fmt::format("volume \"{}\" already bound to a different claim.", name));
  if (const auto why = mismatch(*volume, claim); !why.empty())
    return keep_waiting(claim, "Warning", "VolumeMismatch",
                        fmt::format("Cannot bind to requested volume \"{}\": {}", name, why));
  bind(*volume, claim);
}

/// A volume that is set aside for the claim, or the smallest free one that fits, or a new one.
void Volumes::find_volume(const Json& claim) {
  ObjectPtr best;
  for (const auto& volume : objects_.storage().list(kVolumes, "")) {
    if (!mismatch(*volume, claim).empty()) continue;
    if (is_reserved_for(*volume, claim) && !is_leaving(*volume)) return bind(*volume, claim);
    if (is_free(*volume) && (!best || kube::quantity(capacity(*volume)) < kube::quantity(capacity(*best))))
      best = volume;
  }
  const auto name = class_of(claim).value_or("");
  const auto storage_class = objects_.storage().get({kClasses, "", name});
  if (storage_class && string_at(*storage_class, "volumeBindingMode") == "WaitForFirstConsumer" && !is_awaited(claim))
    return keep_waiting(claim, "Normal", "WaitForFirstConsumer",
                        "waiting for first consumer to be created before binding");
  if (best) return bind(*best, claim);
  if (name.empty())
    return keep_waiting(claim, "Normal", "FailedBinding",
                        "no persistent volumes available for this claim and no storage class is set");
  if (!storage_class)
    return keep_waiting(claim, "Warning", "ProvisioningFailed",
                        fmt::format("storageclass.storage.k8s.io \"{}\" not found", name));
  provision(claim, *storage_class);
}

/// Whether a pod is there that would use the claim.
bool Volumes::is_awaited(const Json& claim) const {
  const auto pods = objects_.storage().list("pods", ns_of(claim));
  return std::ranges::any_of(pods, [&](const ObjectPtr& pod) { return mounts(*pod, claim); });
}

void Volumes::provision(const Json& claim, const Json& storage_class) {
  const auto provisioner = string_at(storage_class, "provisioner");
  if (provisioner != kProvisioner && provisioner != kCsiDriver)
    return keep_waiting(claim, "Normal", "ExternalProvisioning",
                        fmt::format("Waiting for a volume to be created either by the external provisioner '{}' or "
                                    "manually by the system administrator. If volume creation is delayed, please "
                                    "verify that the provisioner is running and correctly registered.",
                                    provisioner));
  const auto name = "pvc-" + uid_of(claim);
  const auto path = folder_.volume(name);
  if (!make_place(claim, path, provisioner)) return;
  auto annotated = claim;
  for (const auto* prefix : {"volume.beta.kubernetes.io", "volume.kubernetes.io"})
    annotated["metadata"]["annotations"][std::string(prefix) + "/storage-provisioner"] = provisioner;
  const auto owner = rewrite(objects_, built_in(kClaims), std::move(annotated), {.manager = kController});
  const auto policy = string_at(storage_class, "reclaimPolicy");
  Json made = {
      {"metadata",
       {{"name", name}, {"annotations", {{kProvisionedBy, provisioner}}}, {"finalizers", Json::array({kVolumeInUse})}}},
      {"spec",
       {{"accessModes", array_at(claim, "spec.accessModes")},
        {"capacity", {{"storage", requested(claim)}}},
        {"claimRef", reference_to(*owner)},
        {"persistentVolumeReclaimPolicy", policy.empty() ? "Delete" : policy},
        {"storageClassName", name_of(storage_class)},
        {"volumeMode", is_device(claim) ? "Block" : "Filesystem"}}}};
  if (provisioner == kCsiDriver) {
    made["spec"]["csi"] = {{"driver", kCsiDriver}, {"volumeHandle", name}};
  } else {
    made["spec"]["hostPath"] = {{"path", path.string()}, {"type", is_device(claim) ? "File" : "DirectoryOrCreate"}};
  }
  try_create(objects_, built_in(kVolumes), "", std::move(made));
  const auto volume = objects_.storage().get({kVolumes, "", name});
  if (!volume) return;
  tell(objects_, claim, {"Normal", "ProvisioningSucceeded", "Successfully provisioned volume " + name, provisioner});
  bind(*volume, *owner);
}

/// A directory or a file that stands for a device, empty or with what a snapshot holds. False: it is not there yet.
bool Volumes::make_place(const Json& claim, const std::filesystem::path& path, const std::string& provisioner) {
  if (const auto snapshot = snapshot_of(claim); !snapshot.empty()) {
    if (provisioner != kCsiDriver)
      throw Error(Code::kUnsupported, fmt::format("provisioner {} makes no volumes of snapshots", provisioner));
    const auto taken = snapshots_.directory_of(ns_of(claim), snapshot);
    if (std::filesystem::is_regular_file(taken) != is_device(claim))
      throw Error(Code::kUnsupported, fmt::format("snapshot {} is of a volume of another volumeMode", snapshot));
    if (!copies_.ensure(taken, path)) return false;
    if (!is_device(claim)) return true;
  }
  if (is_device(claim)) {
    folder_.make_file(path, bytes_of(claim));
  } else {
    folder_.make(path);
  }
  using enum std::filesystem::perms;
  const auto for_all = owner_read | owner_write | group_read | group_write | others_read | others_write;
  std::error_code ignored;
  std::filesystem::permissions(path, is_device(claim) ? for_all : all, ignored);  // whatever user a container runs as
  return true;
}

std::string unschedulable(const Storage& storage, const Json& pod) {
  constexpr auto none = "0/1 nodes are available: {}";
  for (const auto& name : claims_of(pod)) {
    const auto claim = storage.get({kClaims, ns_of(pod), name});
    if (!claim) return fmt::format(none, fmt::format("persistentvolumeclaim \"{}\" not found.", name));
    if (is_leaving(*claim))
      return fmt::format(none, fmt::format("persistentvolumeclaim \"{}\" is being deleted.", name));
    const auto phase = string_at(*claim, "status.phase");
    if (phase == "Lost")
      return fmt::format(
          none, fmt::format("persistentvolumeclaim \"{}\" bound to non-existent persistentvolume \"{}\".", name,
                            string_at(*claim, "spec.volumeName")));
    if (phase != "Bound") return fmt::format(none, "pod has unbound immediate PersistentVolumeClaims.");
  }
  return "";
}

}  // namespace mtc::sandbox
