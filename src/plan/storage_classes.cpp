#include "plan/storage_classes.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace mtc::plan {
namespace {

constexpr std::string_view kOnce[] = {"ReadWriteOnce"};
constexpr std::string_view kOnceReadMany[] = {"ReadWriteOnce", "ReadOnlyMany"};
constexpr std::string_view kOnceMany[] = {"ReadWriteOnce", "ReadWriteMany"};
constexpr std::string_view kAll[] = {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"};
using Modes = std::span<const std::string_view>;

/// What a provisioner's volumes can do; the first match counts.
struct Ability {
  enum class Match { kExact, kPrefix, kSuffix } match;
  std::string_view provisioner;
  Modes filesystem, block{};

  bool is_of(std::string_view name) const {
    switch (match) {
      case Match::kExact: return name == provisioner;
      case Match::kPrefix: return name.starts_with(provisioner);
      case Match::kSuffix: return name.ends_with(provisioner);
    }
    return false;
  }
};
using enum Ability::Match;

// First the table of the original, then the drivers that it does not know.
constexpr Ability kAbilities[] = {
    {kExact, "kubernetes.io/aws-ebs", kOnce},
    {kExact, "kubernetes.io/azure-file", kAll},
    {kExact, "kubernetes.io/azure-disk", kOnce},
    {kExact, "kubernetes.io/cinder", kOnce},
    {kExact, "kubernetes.io/gce-pd", kOnceReadMany},
    {kExact, "kubernetes.io/glusterfs", kAll},
    {kPrefix, "gluster.org/glusterblock", kOnceReadMany},
    {kExact, "kubernetes.io/quobyte", kAll},
    {kExact, "kubernetes.io/rbd", kOnceReadMany},
    {kExact, "kubernetes.io/vsphere-volume", kOnce},
    {kExact, "kubernetes.io/portworx-volume", kOnceMany},
    {kExact, "kubernetes.io/scaleio", kOnceReadMany},
    {kExact, "kubernetes.io/storageos", kOnce},
    {kSuffix, "rbd.csi.ceph.com", kOnce, kAll},
    {kSuffix, "cephfs.csi.ceph.com", kAll},
    {kExact, "netapp.io/trident", kOnceReadMany, kAll},
    {kExact, "csi.kubevirt.io", kOnce, kOnce},
    {kExact, "ebs.csi.aws.com", kOnce, kOnceMany},
    {kExact, "efs.csi.aws.com", kAll},
    {kExact, "disk.csi.azure.com", kOnce, kAll},
    {kExact, "file.csi.azure.com", kAll},
    {kExact, "pd.csi.storage.gke.io", kOnceReadMany, kOnceReadMany},
    {kExact, "filestore.csi.storage.gke.io", kAll},
    {kExact, "cinder.csi.openstack.org", kOnce, kOnce},
    {kExact, "manila.csi.openstack.org", kAll},
    {kExact, "csi.vsphere.vmware.com", kOnceMany, kOnce},
    {kExact, "csi.trident.netapp.io", kAll, kAll},
    {kExact, "pxd.portworx.com", kAll, kOnce},
    {kExact, "driver.longhorn.io", kOnceMany, kOnceMany},
    {kExact, "nfs.csi.k8s.io", kAll},
    {kExact, "smb.csi.k8s.io", kAll},
    {kExact, "hostpath.csi.k8s.io", kOnce, kOnce},
    {kExact, "sandbox.mtc/directory", kOnce, kOnce},
};

// In-tree plugins and the drivers that took their place.
constexpr std::pair<std::string_view, std::string_view> kSuccessors[] = {
    {"kubernetes.io/aws-ebs", "ebs.csi.aws.com"},
    {"kubernetes.io/azure-disk", "disk.csi.azure.com"},
    {"kubernetes.io/azure-file", "file.csi.azure.com"},
    {"kubernetes.io/cinder", "cinder.csi.openstack.org"},
    {"kubernetes.io/gce-pd", "pd.csi.storage.gke.io"},
    {"kubernetes.io/portworx-volume", "pxd.portworx.com"},
    {"kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"},
};

constexpr std::string_view kCephFs = "cephfs.csi.ceph.com";
constexpr std::string_view kCephBlock = "rbd.csi.ceph.com";

Modes modes_of(std::string_view provisioner, api::VolumeMode mode) {
  const auto at = std::ranges::find_if(kAbilities, [&](const Ability& each) { return each.is_of(provisioner); });
  if (at == std::end(kAbilities)) return mode == api::VolumeMode::kFilesystem ? Modes(kOnce) : Modes();
  return mode == api::VolumeMode::kBlock ? at->block : at->filesystem;
}

std::string_view technology_of(std::string_view provisioner) {
  const auto at = std::ranges::find(kSuccessors, provisioner, &std::pair<std::string_view, std::string_view>::first);
  return at == std::end(kSuccessors) ? provisioner : at->second;
}

bool is_gluster(const Json& volume, std::string_view provisioner) {
  return find(volume, "spec.glusterfs") != nullptr || provisioner == "kubernetes.io/glusterfs" ||
         provisioner.starts_with("gluster.org/glusterblock");
}

std::string_view ceph_for(const Json& claim) {
  const auto modes = strings_at(claim, "spec.accessModes");
  const auto asks = [&](std::string_view mode) { return std::ranges::find(modes, mode) != modes.end(); };
  return !asks("ReadWriteMany") && asks("ReadWriteOnce") ? kCephBlock : kCephFs;
}

template <typename Fits>
std::string first_of(const StorageClasses& classes, std::string_view preferred, Fits fits) {
  const StorageClass* first = nullptr;
  for (const auto& each : classes) {
    if (!fits(each)) continue;
    if (each.name == preferred) return each.name;
    if (first == nullptr) first = &each;
  }
  return first == nullptr ? "" : first->name;
}

}  // namespace

StorageClass StorageClass::parse(const Json& object) {
  const auto is_set = [&](const char* key) {
    const auto value = kube::annotation(object, key);
    return value == "true" || value == "True" || value == "TRUE" || value == "t" || value == "T" || value == "1";
  };
  return {.name = kube::key_of(object).name,
          .provisioner = string_at(object, "provisioner"),
          .is_default = is_set("storageclass.kubernetes.io/is-default-class") ||
                        is_set("storageclass.beta.kubernetes.io/is-default-class"),
          .expands = bool_at(object, "allowVolumeExpansion")};
}

bool StorageClass::supports(std::string_view access_mode, api::VolumeMode mode) const {
  // One pod is less than one node, for drivers; the plugins of old never learned it.
  if (access_mode == "ReadWriteOncePod") {
    if (provisioner.starts_with("kubernetes.io/")) return false;
    access_mode = "ReadWriteOnce";
  }
  const auto modes = modes_of(provisioner, mode);
  return std::ranges::find(modes, access_mode) != modes.end();
}

Task<StorageClasses> storage_classes_of(kube::ClientPtr cluster) {
  StorageClasses out;
  for (const auto& object : co_await kube::list_all(*cluster, kube::types::storage_classes(), ""))
    out.push_back(StorageClass::parse(object));
  std::ranges::sort(out, {}, &StorageClass::name);
  co_return out;
}

const StorageClass* find_class(const StorageClasses& classes, std::string_view name) {
  const auto at = std::ranges::find(classes, name, &StorageClass::name);
  return at == classes.end() ? nullptr : &*at;
}

Json storage_class_status(const StorageClasses& classes) {
  Json out = Json::array();
  for (const auto& each : classes) {
    Json modes = Json::array();
    for (const auto mode : {api::VolumeMode::kFilesystem, api::VolumeMode::kBlock}) {
      const auto known = modes_of(each.provisioner, mode);
      if (known.empty()) continue;
      Json names = Json::array();
      for (const auto name : known) names.push_back(name);
      modes.push_back({{"accessModes", std::move(names)}, {"volumeMode", api::to_string(mode)}});
    }
    Json entry = {{"name", each.name}, {"provisioner", each.provisioner}, {"volumeAccessModes", std::move(modes)}};
    if (each.is_default) entry["default"] = true;
    out.push_back(std::move(entry));
  }
  return out;
}

std::string class_of(const Json& volume) {
  auto name = string_at(volume, "spec.storageClassName");
  return name.empty() ? kube::annotation(volume, "volume.beta.kubernetes.io/storage-class") : name;
}

ClassChoice default_class(const Json& volume, const Json& claim, const StorageClasses& source,
                          const StorageClasses& destination) {
  const auto name = class_of(volume);
  const auto* known = find_class(source, name);
  const std::string provisioner = known == nullptr ? "" : known->provisioner;
  const bool gluster = is_gluster(volume, provisioner);
  ClassChoice out;
  if (gluster || find(volume, "spec.nfs") != nullptr) {
    const auto wanted = ceph_for(claim);
    out.name = first_of(destination, name, [&](const StorageClass& c) { return c.provisioner.ends_with(wanted); });
  } else if (!provisioner.empty()) {
    const auto wanted = technology_of(provisioner);
    out.name =
        first_of(destination, name, [&](const StorageClass& c) { return technology_of(c.provisioner) == wanted; });
  }
  if (!out.name.empty()) return out;
  out.lacks_ceph = gluster;
  out.name = first_of(destination, "", [](const StorageClass& c) { return c.is_default; });
  return out;
}

}  // namespace mtc::plan
