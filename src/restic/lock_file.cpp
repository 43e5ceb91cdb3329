#include "restic/lock_file.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <limits>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "json/json.hpp"

namespace mtc::restic {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

constexpr std::string_view kUser = "mtc in ";

/// Tells the name space of process numbers, which containers of one host name do not share: "mtc in pid:[4026531836]".
std::string user_name() {
  std::array<char, 64> space{};
  const auto size = ::readlink("/proc/self/ns/pid", space.data(), space.size());
  return fmt::format("{}{}", kUser, std::string_view(space.data(), size > 0 ? static_cast<std::size_t>(size) : 0));
}

std::uint32_t number_at(const Json& json, std::string_view name) {
  const auto number = int_at(json, name).value_or(0);
  return number < 0 || number > std::numeric_limits<std::uint32_t>::max() ? 0 : static_cast<std::uint32_t>(number);
}

}  // namespace

std::string encode_lock(const LockFile& lock) {
  Json json;
  json["time"] = rfc3339_micro(lock.time);
  json["exclusive"] = lock.exclusive;
  json["hostname"] = lock.hostname;
  json["username"] = lock.username;
  json["pid"] = lock.pid;
  if (lock.uid != 0) json["uid"] = lock.uid;
  if (lock.gid != 0) json["gid"] = lock.gid;
  return dump(json);
}

LockFile decode_lock(const std::string& text) {
  const auto json = parse_json(text, {.max_depth = 8, .max_bytes = 64 * 1024});
  const auto time = parse_rfc3339(string_at(json, "time"));
  if (!time) throw Error(Code::kCorrupt, "it is no lock: its time is none");
  return {*time,
          bool_at(json, "exclusive"),
          string_at(json, "hostname"),
          string_at(json, "username"),
          int_at(json, "pid").value_or(0),
          number_at(json, "uid"),
          number_at(json, "gid")};
}

LockFile lock_of_this_process(LockKind kind, Time now) {
  return {now,         kind == LockKind::kExclusive,          host_name(),
          user_name(), static_cast<std::int64_t>(::getpid()), ::getuid(),
          ::getgid()};
}

bool is_stale(const LockFile& lock, Time now, Duration limit) {
  if (now - lock.time > limit) return true;
  if (lock.hostname.empty() || lock.hostname != host_name()) return false;
  if (lock.username.starts_with(kUser) && lock.username != user_name()) return false;
  const bool possible = lock.pid > 0 && lock.pid <= std::numeric_limits<pid_t>::max();
  return possible && ::kill(static_cast<pid_t>(lock.pid), 0) != 0 && errno == ESRCH;
}

std::string describe(const LockFile& lock) {
  return fmt::format("{}, process {} on host {}, since {}", lock.username, lock.pid, lock.hostname, rfc3339(lock.time));
}

}  // namespace mtc::restic
