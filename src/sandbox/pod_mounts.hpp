#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sandbox/folder.hpp"
#include "sandbox/pod_command.hpp"
#include "sandbox/storage.hpp"

namespace mtc::sandbox {

/// Brings a pod's volumes to this machine: claims are the directories of their volumes, or the files that stand for
/// their devices, Secrets, ConfigMaps and fields of the pod (downwardAPI) are written into the pod's folder (0600), an
/// emptyDir is a directory in it.
/// Throws Error: kNotFound naming what is not there yet, kUnsupported for other volumes, kInvalid for paths that lead
/// out of their volume and for misused(), kUnavailable for files that cannot be written.
std::vector<Mount> mounts_of(const Json& pod, const Storage& storage, Folder& folder);

/// Why a pod's containers cannot start: one mounts a claim that is a device (volumeMode Block), or has a file system as
/// a device; "" = none does.
std::string misused(const Json& pod, const Storage& storage);

/// Writes the fields of the pod anew that a running pod has in volumes. Throws as mounts_of.
void refresh_mounts(const Json& pod, Folder& folder);

/// Takes away what mounts_of wrote into the pod's folder: Secrets do not stay longer than the process.
void unmount(const std::filesystem::path& pod_folder);

}  // namespace mtc::sandbox
