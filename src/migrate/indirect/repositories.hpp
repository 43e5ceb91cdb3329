#pragma once

#include "base/secret.hpp"
#include "migrate/indirect/staging.hpp"

namespace mtc::migrate::indirect {

/// Makes the repositories that the migration's volumes need and that are not there yet, before any mover starts, so
/// that two movers never race to make one. Those that are there must open with this password. "" or why they cannot be
/// used, with the next step; throws Error while the store does not answer.
Task<std::string> ensure_repositories(Migration& m, Secret password);

/// The Secrets of one side's movers, in the namespaces that hold claims: where the repository is, and the keys to it.
/// One that an earlier pass made is brought up to date, because keys of a store are changed sometimes.
Task<void> ensure_mover_secrets(Migration& m, Side side, Secret password);

/// As the mover reads it (docs/protocol/mover.md). `source_namespace` says which repository.
Json mover_secret(const Migration& m, Side side, const std::string& ns, const std::string& source_namespace,
                  const Secret& password);

}  // namespace mtc::migrate::indirect
