#pragma once

#include <string>

#include "async/task.hpp"
#include "backup/engine.hpp"
#include "base/clock.hpp"

namespace mtc::backup {

/// Gzip'd bytes.
std::string gzip(std::string_view bytes);
/// Unpacks at most `limit` bytes. Throws Error(kCorrupt).
std::string gunzip(std::string_view bytes, std::size_t limit);

/// "<prefix>/backups/<name>/".
std::string backup_folder(const Environment& environment, const std::string& name);
std::string restore_folder(const Environment& environment, const std::string& name);

/// Every companion of a backup but velero-backup.json (velero.md §2.2).
Task<void> write_backup_companions(Environment environment, std::string name, const Outcome* outcome, std::string log);
/// Every companion of a restore (velero.md §2.3).
Task<void> write_restore_companions(Environment environment, std::string name, const Outcome* outcome, std::string log);
/// What became of each object of a restore, as written with its companions: {"resource": "deployments.apps",
/// "namespace", "name", "fate": "restored", "detail"}; null if there is no such restore. `environment` needs no
/// cluster.
Task<Json> read_items(Environment environment, std::string name);
/// One line an item, for `<name>-logs.gz`.
std::string log_text(const Outcome& outcome, Time now);

}  // namespace mtc::backup
