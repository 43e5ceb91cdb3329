#pragma once

#include <string>
#include <vector>

#include "sandbox/storage.hpp"

namespace mtc::sandbox {

/// Whether a pod is a process of this machine: its one container has an image of mtc itself, one whose repository ends
/// in "/mtc" whatever its registry and tag. All others are records.
bool is_process(const Json& pod);

/// Where a path of a container is on this machine.
struct Mount {
  std::string path;
  std::string place;  ///< a directory, or the file that stands for a device
};

/// What a container would be started with.
struct PodCommand {
  std::vector<std::string> arguments;    ///< after the program's own name
  std::vector<std::string> environment;  ///< "NAME=value"
};

/// The command of a pod's one container as a kubelet makes it: variables from values, fields of the pod, Secrets and
/// ConfigMaps, `$(NAME)` expanded; and with each path below a mount ("/volume/a", also in "--flag=/volume") in its real
/// place. `pod` has its addresses in its status. Throws Error(kNotFound) naming what a variable refers to and is not
/// there, kUnsupported for a command that is not mtc.
PodCommand command_of(const Json& pod, const std::vector<Mount>& mounts, const Storage& storage);

/// `$(NAME)` replaced by the variable, `$$(NAME)` unescaped to `$(NAME)`, unknown names left as they are.
std::string expand(const std::string& text, const std::vector<std::pair<std::string, std::string>>& variables);

}  // namespace mtc::sandbox
