#include "migrate/quiesce.hpp"

#include <algorithm>
#include <charconv>

#include "api/names.hpp"
#include "async/scope.hpp"
#include "json/json.hpp"
#include "plan/claim_users.hpp"

namespace mtc::migrate {
namespace {

namespace note = api::annotations;
constexpr std::size_t kParallel = 8;

Json& annotations_of(Json& object) { return object["metadata"]["annotations"]; }

bool has_note(const Json& object, std::string_view key) {
  return object_at(object, "metadata.annotations").contains(key);
}

void drop_note(Json& object, const char* key) { annotations_of(object).erase(key); }

/// Counts down to zero, with the count kept in an annotation.
bool count_down(Json& object, std::string_view field, std::int64_t preset) {
  const auto count = int_at(object, std::string("spec.") + std::string(field)).value_or(preset);
  if (count == 0) return false;
  // A record from an earlier try that was interrupted between two writes stays: it has the true count.
  if (!has_note(object, note::kPreQuiesceReplicas))
    annotations_of(object)[note::kPreQuiesceReplicas] = std::to_string(count);
  object["spec"][std::string(field)] = 0;
  return true;
}

bool count_up(Json& object, const std::string& field) {
  if (!has_note(object, note::kPreQuiesceReplicas)) return false;
  const auto text = kube::annotation(object, note::kPreQuiesceReplicas);
  std::int64_t count = 0;
  const bool readable = std::from_chars(text.data(), text.data() + text.size(), count).ec == std::errc{};
  // Somebody who scaled it up by hand meanwhile knows better than the record.
  if (readable && int_at(object, "spec." + field).value_or(0) == 0) object["spec"][field] = count;
  drop_note(object, note::kPreQuiesceReplicas);
  return true;
}

/// Deployments and DeploymentConfigs: paused ones are set going, or their pods would stay.
bool pausable_down(Json& object) {
  if (!count_down(object, "replicas", 1)) return false;
  if (!has_note(object, note::kPreQuiescePaused))
    annotations_of(object)[note::kPreQuiescePaused] = bool_at(object, "spec.paused") ? "true" : "false";
  object["spec"].erase("paused");
  return true;
}

bool pausable_up(Json& object) {
  if (!count_up(object, "replicas")) return false;
  if (has_note(object, note::kPreQuiescePaused)) {
    // Absent is false: a Deployment that was not paused comes back as it was.
    if (kube::annotation(object, note::kPreQuiescePaused) == "true") object["spec"]["paused"] = true;
    drop_note(object, note::kPreQuiescePaused);
  }
  return true;
}

bool replicas_down(Json& object) { return count_down(object, "replicas", 1); }
bool replicas_up(Json& object) { return count_up(object, "replicas"); }

/// One that deletes the claims of pods that it scales away must not do so now.
constexpr auto kWhenScaled = "spec.persistentVolumeClaimRetentionPolicy.whenScaled";

bool stateful_set_down(Json& object) {
  if (!replicas_down(object)) return false;
  if (string_at(object, kWhenScaled) != "Delete") return true;
  annotations_of(object)[note::kPreQuiesceWhenScaled] = "Delete";
  set_at(object, kWhenScaled, "Retain");
  return true;
}

bool stateful_set_up(Json& object) {
  if (!replicas_up(object)) return false;
  if (!has_note(object, note::kPreQuiesceWhenScaled)) return true;
  set_at(object, kWhenScaled, kube::annotation(object, note::kPreQuiesceWhenScaled));
  drop_note(object, note::kPreQuiesceWhenScaled);
  return true;
}

/// Those of a Deployment or DeploymentConfig follow their owner.
bool unowned_down(Json& object) {
  return array_at(object, "metadata.ownerReferences").empty() && count_down(object, "replicas", 1);
}

/// A Deployment hands its annotations on to its ReplicaSets, from where a later `kubectl rollout undo` would bring them
/// back: the record goes there too. The count is the Deployment's to set.
bool replica_set_up(Json& object) {
  if (array_at(object, "metadata.ownerReferences").empty()) return replicas_up(object);
  bool had_record = false;
  for (const auto* key : {note::kPreQuiesceReplicas, note::kPreQuiescePaused}) {
    if (!has_note(object, key)) continue;
    drop_note(object, key);
    had_record = true;
  }
  return had_record;
}

/// A machine is run by `runStrategy` or, in older specs, by `running`; a `Manual` one is a person's to stop.
bool machine_down(Json& object) {
  const auto strategy = string_at(object, "spec.runStrategy");
  if (strategy == "Halted" || strategy == "Manual") return false;
  if (strategy.empty() && !bool_at(object, "spec.running")) return false;
  if (!has_note(object, note::kRunStrategy)) annotations_of(object)[note::kRunStrategy] = strategy;
  annotations_of(object)[note::kStartMachine] = "true";
  if (strategy.empty()) {
    object["spec"]["running"] = false;
  } else {
    object["spec"]["runStrategy"] = "Halted";
  }
  return true;
}

bool machine_up(Json& object) {
  if (!has_note(object, note::kStartMachine)) return false;
  const auto strategy = kube::annotation(object, note::kRunStrategy);
  if (strategy.empty()) {
    object["spec"]["running"] = true;
  } else {
    object["spec"]["runStrategy"] = strategy;
  }
  drop_note(object, note::kRunStrategy);
  drop_note(object, note::kStartMachine);
  return true;
}

bool job_down(Json& object) {
  const bool over = !string_at(object, "status.completionTime").empty() || bool_at(object, "spec.suspend");
  return !over && count_down(object, "parallelism", 1);
}
bool job_up(Json& object) { return count_up(object, "parallelism"); }

/// One that was suspended before gets no record, and so stays suspended afterwards.
bool cron_job_down(Json& object) {
  if (bool_at(object, "spec.suspend")) return false;
  annotations_of(object)[note::kPreQuiesceSuspend] = "true";
  object["spec"]["suspend"] = true;
  return true;
}
bool cron_job_up(Json& object) {
  if (!has_note(object, note::kPreQuiesceSuspend)) return false;
  object["spec"]["suspend"] = false;
  drop_note(object, note::kPreQuiesceSuspend);
  return true;
}

bool daemon_set_down(Json& object) {
  auto selector = object_at(object, "spec.template.spec.nodeSelector");
  if (selector.contains(api::kQuiesceNodeSelector)) return false;
  annotations_of(object)[note::kPreQuiesceNodeSelector] = dump(selector);
  selector[api::kQuiesceNodeSelector] = "true";
  set_at(object, "spec.template.spec.nodeSelector", selector);
  return true;
}
bool daemon_set_up(Json& object) {
  if (!has_note(object, note::kPreQuiesceNodeSelector)) return false;
  auto selector = parse_json(kube::annotation(object, note::kPreQuiesceNodeSelector));
  if (selector.empty()) {
    erase_at(object, "spec.template.spec.nodeSelector");
  } else {
    set_at(object, "spec.template.spec.nodeSelector", selector);
  }
  drop_note(object, note::kPreQuiesceNodeSelector);
  return true;
}

enum class Direction { kDown, kUp };

Task<void> change_one(kube::ClientPtr cluster, WorkloadKind kind, kube::ObjectKey key, Direction direction,
                      std::size_t* changed) {
  const auto change = direction == Direction::kDown ? kind.down : kind.up;
  bool did = false;
  co_await kube::modify(*cluster, kind.type, key, [&](Json& object) { return did = change(object); });
  if (did) ++*changed;
}

Task<std::size_t> change_all(kube::ClientPtr cluster, Quiesced which, Direction direction) {
  std::size_t changed = 0;
  const kube::ListOptions chosen{.label_selector = which.selector};
  const auto discovery = co_await cluster->discovery();
  for (const auto& kind : workload_kinds()) {
    if (discovery->find_exact(kind.type.group, kind.type.version, kind.type.plural) == nullptr) continue;
    std::vector<kube::ObjectKey> concerned;
    for (const auto& ns : which.namespaces) {
      for (auto& object : co_await kube::list_all(*cluster, kind.type, ns, chosen)) {
        const auto key = kube::key_of(object);
        if (which.claims && !plan::uses_any(object, *which.claims)) continue;
        if ((direction == Direction::kDown ? kind.down : kind.up)(object)) concerned.push_back(key);
      }
    }
    co_await async::parallel_for(concerned.size(), kParallel, [&](std::size_t i) {
      return change_one(cluster, kind, concerned[i], direction, &changed);
    });
  }
  co_return changed;
}

}  // namespace

const std::vector<WorkloadKind>& workload_kinds() {
  static const std::vector<WorkloadKind> kinds = {{kube::types::cron_jobs(), cron_job_down, cron_job_up},
                                                  {kube::types::deployment_configs(), pausable_down, pausable_up},
                                                  {kube::types::deployments(), pausable_down, pausable_up},
                                                  {kube::types::stateful_sets(), stateful_set_down, stateful_set_up},
                                                  {kube::types::replica_sets(), unowned_down, replica_set_up},
                                                  {kube::types::daemon_sets(), daemon_set_down, daemon_set_up},
                                                  {kube::types::jobs(), job_down, job_up},
                                                  {kube::types::replication_controllers(), unowned_down, replicas_up},
                                                  {kube::types::virtual_machines(), machine_down, machine_up}};
  return kinds;
}

Task<std::size_t> quiesce(kube::ClientPtr cluster, Quiesced which) {
  return change_all(std::move(cluster), std::move(which), Direction::kDown);
}
Task<std::size_t> unquiesce(kube::ClientPtr cluster, std::vector<std::string> namespaces) {
  return change_all(std::move(cluster), {.namespaces = std::move(namespaces)}, Direction::kUp);
}

Task<plan::Workloads> pods_left(kube::ClientPtr cluster, Quiesced which) {
  auto objects = co_await plan::read_workloads(std::move(cluster), which.namespaces);
  if (which.claims)
    std::erase_if(objects.pods, [&](const Json& pod) {
      const bool is_mover = !kube::label(pod, api::labels::kDirectVolumeMigration).empty();
      return is_mover || !plan::mounts_any(pod, *which.claims);
    });
  co_return plan::sort_workloads(objects.pods, objects.owners);
}

}  // namespace mtc::migrate
