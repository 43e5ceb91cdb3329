#include "control/leader.hpp"

#include <array>
#include <fstream>
#include <optional>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/names.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "kube/follow.hpp"

namespace mtc::control {
namespace {

using Instant = std::chrono::steady_clock::time_point;

const kube::ObjectKey& lease_key() {
  static const kube::ObjectKey key{api::kNamespace, "mtc-controller"};
  return key;
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The time at which a process began, in ticks since boot: field 22 of its stat (proc(5)); "" if there is none, or only
/// its remains.
std::string start_of(const std::string& pid) {
  const auto stat = first_line("/proc/" + pid + "/stat");
  const auto after_name = stat.rfind(')');
  if (after_name == std::string::npos) return "";
  const auto fields = split(std::string_view(stat).substr(after_name + 1), ' ');
  return fields.size() > 20 && fields[1] != "Z" ? fields[20] : "";
}

/// What is the same for all processes that see one another's pids.
std::string pid_space() {
  std::array<char, 64> link{};
  const auto size = ::readlink("/proc/self/ns/pid", link.data(), link.size());
  const std::string space(link.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return first_line("/proc/sys/kernel/random/boot_id") + "_" + space;
}

/// The Lease as this process would hold it.
Json held_by(const LeaderOptions& options, const Json& before) {
  const auto now = rfc3339_micro(options.clock->now());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.lease).count();
  Json lease = {{"apiVersion", "coordination.k8s.io/v1"},
                {"kind", "Lease"},
                {"metadata", {{"namespace", lease_key().ns}, {"name", lease_key().name}}},
                {"spec",
                 {{"holderIdentity", options.identity},
                  {"leaseDurationSeconds", std::max<std::int64_t>(seconds, 1)},
                  {"acquireTime", now},
                  {"renewTime", now}}}};
  if (before.is_object()) lease["metadata"]["resourceVersion"] = kube::resource_version_of(before);
  return lease;
}

/// True if this process holds it now; false if somebody was quicker.
Task<bool> take(const LeaderOptions* options, std::optional<Json> before) {
  try {
    if (before) {
      co_await options->host->update(kube::types::leases(), held_by(*options, *before));
    } else {
      co_await options->host->create(kube::types::leases(), held_by(*options, Json()));
    }
    co_return true;
  } catch (const Error& error) {
    if (error.code() != Code::kConflict && error.code() != Code::kAlreadyExists) throw;
  }
  co_return false;
}

Task<void> acquire(const LeaderOptions* options) {
  std::string seen, told;
  Instant silent_since{};
  for (;;) {
    const auto lease = co_await options->host->get(kube::types::leases(), lease_key());
    const auto holder = lease ? string_at(*lease, "spec.holderIdentity") : "";
    const auto now = std::chrono::steady_clock::now();
    // Clocks of machines differ: what counts is how long we have seen no renewal.
    if (auto renewed = holder + (lease ? string_at(*lease, "spec.renewTime") : ""); renewed != seen) {
      seen = std::move(renewed);
      silent_since = now;
    }
    const Duration promised = std::chrono::seconds(lease ? int_at(*lease, "spec.leaseDurationSeconds").value_or(0) : 0);
    const auto left = promised - (now - silent_since);
    if (holder.empty() || holder == options->identity || is_dead_here(holder) || left <= Duration::zero()) {
      if (co_await take(options, lease)) co_return;
      continue;
    }
    if (std::exchange(told, holder) != holder) log::info("another controller works; standing by", {{"holder", holder}});
    const auto changed = [rv = kube::resource_version_of(*lease)](const std::optional<Json>& current) {
      return !current || kube::resource_version_of(*current) != rv;
    };
    co_await kube::wait_until(options->host, kube::types::leases(), lease_key(), left, changed);
  }
}

/// Writes the time of renewal; Error(kConflict) if the Lease is not ours any more.
Task<void> renew_once(const LeaderOptions* options) {
  auto lease = co_await kube::must_get(*options->host, kube::types::leases(), lease_key());
  if (string_at(lease, "spec.holderIdentity") != options->identity) {
    throw Error(Code::kConflict,
                fmt::format("Lease {} was taken by {}", lease_key().str(), string_at(lease, "spec.holderIdentity")));
  }
  lease["spec"]["renewTime"] = rfc3339_micro(options->clock->now());
  co_await options->host->update(kube::types::leases(), std::move(lease));
}

Task<void> keep(const LeaderOptions* options, async::Event* over) {
  auto renewed = std::chrono::steady_clock::now();
  while (!co_await over->wait_for(options->renew)) {
    std::optional<Error> failure;
    try {
      co_await async::with_timeout(options->lease / 3, "renewing the Lease", renew_once(options));
      renewed = std::chrono::steady_clock::now();
    } catch (const Error& error) {
      failure = error;
    }
    if (!failure) continue;
    if (!failure->transient() || std::chrono::steady_clock::now() - renewed > options->lease * 2 / 3)
      throw Error(Code::kConflict, fmt::format("this controller leads no longer: {}", failure->what()));
    log::warn("the Lease was not renewed", {{"error", failure->what()}});
  }
}

Task<void> do_work(std::function<Task<void>()> work, async::Event* over) {
  co_await work();
  over->set();
}

}  // namespace

std::string this_process() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  const auto pid = std::to_string(::getpid());
  return fmt::format("{}_{}_{}_{}", host.data(), pid_space(), pid, start_of(pid));
}

bool is_dead_here(const std::string& identity) {
  const auto parts = split(identity, '_');
  if (parts.size() < 5) return false;  // another program's notion of a name
  const auto& pid = parts[parts.size() - 2];
  const auto& start = parts[parts.size() - 1];
  const auto space = parts[parts.size() - 4] + "_" + parts[parts.size() - 3];
  return space == pid_space() && start_of(pid) != start;
}

Task<void> lead(LeaderOptions options, std::function<Task<void>()> work) {
  co_await acquire(&options);
  log::info("this controller leads", {{"identity", options.identity}});
  async::Event over;
  auto scope = co_await async::Scope::create();
  scope.spawn(keep(&options, &over));
  scope.spawn(do_work(std::move(work), &over));
  co_await scope.join();
}

}  // namespace mtc::control
