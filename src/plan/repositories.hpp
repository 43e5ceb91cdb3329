#pragma once

#include <string>

#include "api/condition.hpp"
#include "api/kinds.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"
#include "plan/connections.hpp"

namespace mtc::plan {

// Volumes that are copied through the bucket lie there in repositories of the format of restic, one for each source
// namespace of a plan, all of a plan with one password. They are the plan's, and go when it goes.

/// "velero/restic/<plan UID>/<namespace>", beside the backups: a folder that Velero knows (velero.md §2.1).
std::string repository_prefix(const std::string& plan_uid, const std::string& ns);

/// The password of a plan's repositories in a storage: 256 random bits, made once and kept in a Secret of the host.
Task<Secret> ensure_repository_key(Connections* connections, api::MigPlan plan, api::Ref storage, Rng* rng);
/// The Secret's name, for messages: "openshift-migration/repository-0123456789".
api::Ref repository_key_of(const api::MigPlan& plan, const api::Ref& storage);

/// Removes from this storage the repositories of plans of this host that are deleted or closed, and then their Secrets,
/// by which it knows them. A bucket that refuses is told of in a condition.
Task<void> sweep_repositories(Connections* connections, api::MigStorage storage, api::Conditions* conditions);

}  // namespace mtc::plan
