#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace mtc::migrate::volumes {

struct NewcomersBudget;

/// What an operator can set for all volume migrations: by environment variables, the original's where it has one (spec
/// direct-volume.md §9.2, §14), and what movers may use, which changes while the controller runs.
struct Settings {
  std::size_t attempts = 0;  ///< RSYNC_BACKOFF_LIMIT: tries for a claim, before spec.backOffLimit; 0 = not set
  std::size_t at_once = 5;   ///< MTC_VOLUMES_AT_ONCE: claims of one DirectVolumeMigration that are copied at once
  const NewcomersBudget* newcomers = nullptr;  ///< what movers may use that are made now; null = all they can

  /// `lookup` returns the value of a variable, or null. What is no number, or 0, is passed over.
  static Settings from(const std::function<const char*(const char*)>& lookup);
  static Settings from_environment();
};

/// Tries for a claim (spec direct-volume.md §9.2): the operator's, else those of the spec, else 20.
std::int64_t attempts_of(const Settings& settings, std::int64_t back_off_limit);

}  // namespace mtc::migrate::volumes
