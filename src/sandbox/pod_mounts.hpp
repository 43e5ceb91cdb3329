#pragma once

#include <filesystem>
#include <vector>

#include "sandbox/folder.hpp"
#include "sandbox/pod_command.hpp"
#include "sandbox/storage.hpp"

namespace mtc::sandbox {

/// Brings a pod's volumes to this machine: claims are the directories of their volumes, Secrets and ConfigMaps are
/// written into the pod's folder (0600), an emptyDir is a directory in it. Throws Error: kNotFound naming what is not
/// there yet, kUnsupported for other volumes, kInvalid for paths that lead out of their volume, kUnavailable for files
/// that cannot be written.
std::vector<Mount> mounts_of(const Json& pod, const Storage& storage, Folder& folder);

/// Takes away what mounts_of wrote into the pod's folder: Secrets do not stay longer than the process.
void unmount(const std::filesystem::path& pod_folder);

}  // namespace mtc::sandbox
