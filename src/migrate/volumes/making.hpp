#pragma once

#include <string>

#include "api/kinds.hpp"
#include "kube/client.hpp"
#include "plan/mover_pod.hpp"

namespace mtc::migrate::volumes {

/// What decides how a mover's pod is made.
struct Making {
  kube::ClientPtr cluster;  ///< where
  plan::Mover mover;        ///< as root
  kube::ClientPtr source;   ///< where the users of `claim` are
  api::Ref claim;           ///< of the source
  api::RunAs run_as;        ///< what the migration says
  std::string owner;        ///< label by which the pod is told from somebody else's
};
/// Makes the pod, unless it is there: as root, and where a cluster refuses that, or the migration says so, as the user
/// of the claim, with what Pod Security "restricted" allows. Then what is written loses what that user may not give,
/// owners and devices, and the mover tells of it. Whichever is made first stays, as both have one name. Throws the
/// refusal of a pod that is not let in, Error(kInvalid) if nobody says as which user, and Error(kConflict) as
/// ensure_labelled does.
Task<void> ensure_mover(Making making);

}  // namespace mtc::migrate::volumes
