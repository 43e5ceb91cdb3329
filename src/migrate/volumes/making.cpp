#include "migrate/volumes/making.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "migrate/volumes/helpers.hpp"
#include "plan/mover_admission.hpp"

namespace mtc::migrate::volumes {
namespace {

Task<void> ensure_pod(const Making& making, const plan::Mover& mover) {
  co_await ensure_labelled(making.cluster, kube::types::pods(), plan::pod_of(mover), making.owner);
}

/// nullopt if it is there now; else why a pod of root's is not let in.
Task<std::optional<Error>> refusal_of_root(const Making& making) {
  std::optional<Error> failure;
  try {
    co_await ensure_pod(making, making.mover);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure && plan::admission_of(*failure).what != plan::Admission::What::kRefused) throw *failure;
  co_return failure;
}

/// An image's own user is root, so a pod that nobody names a user for would never start.
Task<void> demand_user(kube::ClientPtr cluster, plan::Mover mover, api::Ref claim) {
  const auto said = co_await plan::ask_admission(std::move(cluster), plan::pod_of(mover));
  if (said.what != plan::Admission::What::kAdmitted || said.names_user()) co_return;
  throw Error(Code::kInvalid,
              fmt::format("nobody says as whom a pod may mount PersistentVolumeClaim {} that is not to be root: set "
                          "spec.runAsUser of the MigMigration, or runAsUser in the pod template of its workload",
                          claim.str()));
}

}  // namespace

Task<void> ensure_mover(Making making) {
  if (making.run_as.may_be_root()) {
    const auto refusal = co_await refusal_of_root(making);
    if (!refusal) co_return;
    if (making.run_as.root || making.mover.device) throw *refusal;
  }
  auto mover = making.mover;
  mover.restricted = co_await plan::mover_user(making.source, making.claim, making.run_as);
  if (!mover.reads_only) mover.args.emplace_back("--allow-losses");
  if (!mover.restricted->user) co_await demand_user(making.cluster, mover, making.claim);
  co_await ensure_pod(making, mover);
}

}  // namespace mtc::migrate::volumes
