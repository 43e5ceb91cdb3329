#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "restic/lock.hpp"

namespace mtc::restic {

/// A file in locks/.
struct LockFile {
  Time time{};
  bool exclusive = false;
  std::string hostname;
  std::string username;
  std::int64_t pid = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

std::string encode_lock(const LockFile& lock);
/// Throws Error(kCorrupt).
LockFile decode_lock(const std::string& text);

LockFile lock_of_this_process(LockKind kind, Time now);
/// Whether its holder must have ended: it was not refreshed for `limit`, or was a process of this host that does not
/// run any more.
bool is_stale(const LockFile& lock, Time now, Duration limit);
/// "restic, process 12 on host a since 2024-01-02T03:04:05Z", for messages.
std::string describe(const LockFile& lock);

}  // namespace mtc::restic
