#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kube/client.hpp"
#include "plan/mover_user.hpp"

namespace mtc::plan {

/// What tells one pod that carries a volume from another.
struct Mover {
  std::string ns, name, image, claim;
  std::string secret;  ///< mounted at kIdentity: whom it trusts, or where the repository is
  Json labels;
  std::vector<std::string> args;
  bool reads_only = false;
  bool device = false;                       ///< its claim is one
  std::string node = {};                     ///< where it must run, if not empty
  std::optional<MoverUser> restricted = {};  ///< whom it runs as if not as root
  std::optional<std::string> budget = {};    ///< the annotation that it follows, if it heeds one
};
/// The pod: its claim at kVolume or kDevice, its Secret at kIdentity, its budget as its annotation has it now at
/// kBudgetFile, $(POD_IP) in its arguments. What a file tree
/// needs to be written as it was, and no more than Pod Security "baseline" allows; for a device, less. If it is
/// restricted, what "restricted" allows.
Json pod_of(const Mover& mover);

inline constexpr auto kVolume = "/volume";
inline constexpr auto kDevice = "/dev/volume";
inline constexpr auto kIdentity = "/etc/mtc-mover";
inline constexpr auto kBudgetFile = "/etc/mtc-budget/budget";
/// The container that carries the mover: what reads progress expects the original's name.
inline constexpr auto kMoverContainer = "rsync";

/// The image of movers on a cluster: RSYNC_TRANSFER_IMAGE of its migration-cluster-config, else that of this release.
Task<std::string> mover_image(kube::ClientPtr cluster);

}  // namespace mtc::plan
