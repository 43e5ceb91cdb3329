#include "sandbox/kubelet.hpp"

#include <atomic>
#include <csignal>
#include <fstream>
#include <optional>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/log.hpp"
#include "sandbox/bootstrap.hpp"
#include "sandbox/controller_tools.hpp"
#include "sandbox/failure.hpp"
#include "sandbox/pod_command.hpp"
#include "sandbox/pod_log.hpp"
#include "sandbox/pod_mounts.hpp"
#include "sandbox/pod_user.hpp"
#include "sandbox/volumes.hpp"

namespace mtc::sandbox {
namespace {

constexpr auto kHostAddress = "127.0.0.1";
constexpr auto kNeverRan = 128;

/// 127.x.y.z, as good as never the same for two pods of this machine: each process has a stretch of its own, beside
/// 127.0.0.0/16, where other things listen.
std::string loopback_address() {
  static std::atomic<std::uint64_t> count = 0;
  constexpr std::uint64_t octet = 254, stretch = 251;
  const auto number = static_cast<std::uint64_t>(getpid()) * stretch + count++ % stretch;
  return fmt::format("127.{}.{}.{}", 1 + number / octet / octet % octet, 1 + number / octet % octet,
                     1 + number % octet);
}

void note_failure(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    log::error("sandbox kubelet", {{"error", error.what()}});
  }
}

bool has_ended(const Json& pod) {
  const auto phase = string_at(pod, "status.phase");
  return phase == "Succeeded" || phase == "Failed";
}

}  // namespace

/// A pod's process, from before its start until it has been written down how it ended.
struct Kubelet::Run {
  std::string ns, name, uid;
  PodAddress address;
  std::optional<async::Process> process;
  async::Event ended;
  bool stopping = false;
};

Kubelet::Kubelet(Objects* objects, Folder* folder, std::string program, Rng* rng, async::Scope* scope)
    : objects_(*objects), folder_(*folder), program_(std::move(program)), rng_(*rng), scope_(*scope) {
  for (auto& uid : folder_.pods()) folders_.insert(std::move(uid));
}

void Kubelet::look() {
  std::set<std::string> present;
  for (const auto& pod : objects_.storage().list("pods", "")) {
    present.insert(uid_of(*pod));
    on_pod(*pod);
  }
  clean_up(present);
}

/// What pods leave behind that are no more.
void Kubelet::clean_up(const std::set<std::string>& present) {
  for (const auto& [uid, run] : runs_) {
    if (present.contains(uid) || run->stopping) continue;
    run->stopping = true;  // removed by force
    scope_.spawn_isolated(stop(run, Duration::zero()), note_failure);
  }
  for (auto at = folders_.begin(); at != folders_.end();) {
    if (present.contains(*at) || runs_.contains(*at)) {
      ++at;
      continue;
    }
    folder_.discard(folder_.pod(*at));
    at = folders_.erase(at);
  }
}

void Kubelet::set_status(const Json& pod, Json status) {
  sandbox::set_status(objects_, built_in("pods"), pod, std::move(status), "kubelet");
}

void Kubelet::on_pod(const Json& pod) {
  if (string_at(pod, "spec.nodeName").empty() && !is_leaving(pod)) {
    if (const auto why = unschedulable(objects_.storage(), pod); !why.empty()) {
      tell(objects_, pod, {"Warning", "FailedScheduling", why, "default-scheduler"});
      return set_status(pod, unscheduled_status(pod, why, objects_.clock().now()));
    }
    auto placed = pod;
    placed["spec"]["nodeName"] = kNodeName;
    const auto node_pod = rewrite(objects_, built_in("pods"), std::move(placed), {.manager = "kube-scheduler"});
    return on_pod(*node_pod);
  }
  if (is_process(pod)) return on_process(pod);
  if (is_leaving(pod) || string_at(pod, "status.phase") != "Pending") return;
  if (!unschedulable(objects_.storage(), pod).empty())  // whoever made it chose the node himself
    return set_status(pod, waiting_status(pod, "ContainerCreating", "", objects_.clock().now()));
  if (const auto why = misused(pod, objects_.storage()); !why.empty()) return wait_for_mounts(pod, why);
  constexpr std::uint64_t third = 256, last = 254;
  const PodAddress address{fmt::format("10.128.{}.{}", rng_.below(third), 1 + rng_.below(last)), kHostAddress};
  set_status(pod, running_status(pod, address, objects_.clock().now()));
}

void Kubelet::on_process(const Json& pod) {
  const auto known = runs_.find(uid_of(pod));
  if (known != runs_.end()) {
    auto& run = *known->second;
    if (run.stopping) return;
    if (!is_leaving(pod)) return refresh(pod);
    run.stopping = true;
    const auto grace = int_at(pod, "metadata.deletionGracePeriodSeconds").value_or(0);
    return scope_.spawn_isolated(stop(known->second, std::chrono::seconds(grace)), note_failure);
  }
  if (is_leaving(pod)) {
    if (int_at(pod, "metadata.deletionGracePeriodSeconds").value_or(0) > 0)
      objects_.remove(built_in("pods"), ns_of(pod), name_of(pod), {{"gracePeriodSeconds", 0}});
  } else if (string_at(pod, "status.phase") == "Running") {
    const PodEnd lost{128 + SIGKILL, SIGKILL, "ContainerStatusUnknown",
                      "the embedded cluster was stopped while the container ran"};
    set_status(pod, ended_status(pod, lost, objects_.clock().now()));
  } else if (!has_ended(pod)) {
    start(pod);
  }
}

void Kubelet::refresh(const Json& pod) {
  try {
    refresh_mounts(pod, folder_);
  } catch (const Error& error) {
    tell(objects_, pod,
         {"Warning", "FailedMount", fmt::format("MountVolume.SetUp failed: {}", error.what()), "kubelet"});
  }
}

void Kubelet::wait_for_mounts(const Json& pod, const std::string& why) {
  tell(objects_, pod, {"Warning", "FailedMount", fmt::format("MountVolume.SetUp failed: {}", why), "kubelet"});
  set_status(pod, waiting_status(pod, "ContainerCreating", "", objects_.clock().now()));
}

/// Starts the process, or says what it waits for: the next look tries again.
void Kubelet::start(const Json& pod) {
  auto run = std::make_shared<Run>();
  run->ns = ns_of(pod);
  run->name = name_of(pod);
  run->uid = uid_of(pod);
  run->address = {loopback_address(), kHostAddress};
  const auto now = objects_.clock().now();
  const auto folder = folder_.pod(run->uid);
  std::vector<Mount> mounts;
  try {
    folders_.insert(run->uid);
    folder_.make(folder);
    mounts = mounts_of(pod, objects_.storage(), folder_);
  } catch (const Error& error) {
    return wait_for_mounts(pod, error.what());
  }
  async::Command command;
  try {
    auto with_address = pod;
    with_address["status"]["podIP"] = run->address.pod_ip;
    with_address["status"]["hostIP"] = run->address.host_ip;
    auto [arguments, environment] = command_of(with_address, mounts, objects_.storage());
    command.arguments = std::move(arguments);
    command.environment = std::move(environment);
    command.credentials = credentials_of(pod);
  } catch (const Error& error) {
    tell(objects_, pod, {"Warning", "Failed", fmt::format("Error: {}", error.what()), "kubelet"});
    return set_status(pod, waiting_status(pod, "CreateContainerConfigError", error.what(), now));
  }
  command.program = program_;
  command.arguments.insert(command.arguments.begin(), "mtc");
  const auto termination_log = termination_log_of(folder).string();
  const std::ofstream made(termination_log);  // it is there beforehand in every pod: some programs write only then
  command.environment.insert(command.environment.begin(), {"PATH=/usr/local/bin:/usr/bin:/bin", "HOSTNAME=" + run->name,
                                                           "MTC_TERMINATION_LOG=" + termination_log});
  if (command.credentials) {
    command.credentials->groups.push_back(Folder::kReach);
    try {
      folder_.give_pod(run->uid, command.credentials->user, command.credentials->group);
    } catch (const Error& error) {
      return wait_for_mounts(pod, error.what());
    }
  }
  command.folder = folder.string();
  command.output = log_of(folder).string();
  runs_[run->uid] = run;
  scope_.spawn_isolated(this->run(run, std::move(command)), note_failure);
}

/// The pod as it is stored, if it is there still.
ObjectPtr Kubelet::stored(const Run& run) const {
  auto pod = objects_.storage().get({"pods", run.ns, run.name});
  return pod && uid_of(*pod) == run.uid ? pod : nullptr;
}

Task<void> Kubelet::run(std::shared_ptr<Run> run, async::Command command) {
  std::optional<Error> failure;
  try {
    run->process.emplace(co_await async::Process::start(std::move(command)));
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) {
    conclude(*run, {kNeverRan, 0, "StartError", failure->what()});
    co_return;
  }
  if (const auto pod = stored(*run)) {
    tell(objects_, *pod,
         {"Normal", "Started", "Started container " + string_at(array_at(*pod, "spec.containers").at(0), "name"),
          "kubelet"});
    set_status(*pod, running_status(*pod, run->address, objects_.clock().now()));
  }
  if (run->stopping) run->process->signal(stored(*run) ? SIGTERM : SIGKILL);  // asked to end before it was there
  const auto status = co_await run->process->wait();
  conclude(*run, {status.code, status.signal, "", what_is_left(*run, status.code)});
}

/// Asks it to end, and ends it when its time is over.
Task<void> Kubelet::stop(std::shared_ptr<Run> run, Duration grace) {
  if (run->process) run->process->signal(SIGTERM);
  if (grace > Duration::zero() && co_await run->ended.wait_for(grace)) co_return;
  if (run->process) run->process->signal(SIGKILL);
}

/// Writes down how it ended; a pod that was to be removed goes now.
void Kubelet::conclude(const Run& run, PodEnd end) {
  unmount(folder_.pod(run.uid));
  const auto uid = run.uid;
  const auto kept = runs_.extract(uid);
  kept.mapped()->ended.set();
  try {
    if (const auto pod = stored(run)) set_status(*pod, ended_status(*pod, end, objects_.clock().now()));
    if (const auto pod = stored(run); pod && is_leaving(*pod))
      objects_.remove(built_in("pods"), run.ns, run.name, {{"gracePeriodSeconds", 0}});
  } catch (const Failure& failure) {
    log::warn("sandbox kubelet", {{"pod", run.name}, {"error", failure.what()}});
  }
}

/// Its termination message: what it wrote for the purpose, or the end of its log if it failed and the pod says so.
std::string Kubelet::what_is_left(const Run& run, int exit_code) const {
  const auto folder = folder_.pod(run.uid);
  constexpr std::size_t limit = 4096, limit_of_log = 2048;
  auto message = end_of(termination_log_of(folder), limit);
  const auto pod = stored(run);
  const bool from_log =
      message.empty() && exit_code != 0 && pod &&
      string_at(array_at(*pod, "spec.containers").at(0), "terminationMessagePolicy") == "FallbackToLogsOnError";
  return from_log ? end_of(log_of(folder), limit_of_log) : message;
}

}  // namespace mtc::sandbox
