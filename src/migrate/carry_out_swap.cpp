#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "migrate/replacement.hpp"
#include "migrate/swap.hpp"
#include "plan/claim_users.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kLook = std::chrono::seconds(5);
constexpr auto kLimit = std::chrono::minutes(10);

bool is_owned(const Json& workload) { return !array_at(workload, "metadata.ownerReferences").empty(); }

bool is_over(const Json& job) {
  return std::ranges::any_of(array_at(job, "status.conditions"), [](const Json& condition) {
    const auto type = string_at(condition, "type");
    return (type == "Complete" || type == "Failed") && string_at(condition, "status") == "True";
  });
}

/// A workload that is paused takes up a new template only while it is not: it has to see it before it pauses again, or
/// its pods would mount the former claims.
bool must_see_template(const Json& workload) {
  return kube::annotation(workload, api::annotations::kPreQuiescePaused) == "true";
}
bool has_seen_template(const Json& workload) {
  const auto seen = int_at(workload, "status.observedGeneration");
  return !seen || *seen >= int_at(workload, "metadata.generation").value_or(0);
}

class Run {
 public:
  Run(Migration* m, Swap swap) : m_(*m), swap_(std::move(swap)) {
    for (const auto& claim : swap_.to) namespaces_.insert(claim.ns);
  }

  Task<Outcome> run() {
    for (const auto& ns : namespaces_) co_await go_on_in(ns);
    if (!verdict_is_due() && swap_.back) co_await stop_users();
    if (verdict_is_due()) co_return verdict();
    const auto discovery = co_await m_.destination->discovery();
    for (const auto& kind : workload_kinds()) {
      if (discovery->find_exact(kind.type.group, kind.type.version, kind.type.plural) == nullptr) continue;
      for (const auto& ns : namespaces_) co_await swap_in(kind, ns);
    }
    if (!verdict_is_due()) co_await label_sources();
    co_return verdict();
  }

 private:
  /// Replacements that an earlier run has begun, whichever way.
  Task<void> go_on_in(std::string ns) {
    for (const auto& replacement : co_await stored_replacements(m_.destination, ns, swap_.plan_uid))
      co_await attempt(replacement.str(), go_on(replacement));
  }

  /// On the way back, what runs on the new claims already: its pods would keep them.
  Task<void> stop_users() {
    const Quiesced users{.namespaces = {namespaces_.begin(), namespaces_.end()}, .selector = "", .claims = swap_.from};
    co_await quiesce(m_.destination, users);
    const auto pods = co_await pods_left(m_.destination, users);
    if (pods.stopping.empty()) co_return;
    for (const auto& pod : pods.stopping) waiting_.push_back("Pod " + pod);
    for (const auto& ns : namespaces_) subjects_.push_back({m_.destination, kube::types::pods(), ns, ""});
  }

  Task<void> swap_in(WorkloadKind kind, std::string ns) {
    for (auto& workload : co_await kube::list_all(*m_.destination, kind.type, ns)) {
      if (is_left_alone(kind, workload)) continue;
      const auto name = fmt::format("{} {}", kind.type.kind, kube::key_of(workload).str());
      co_await attempt(name, swap_one(kind, std::move(workload)));
    }
  }

  bool is_left_alone(const WorkloadKind& kind, const Json& workload) const {
    if (!plan::uses_any(workload, swap_.from) && !plan::uses_any(workload, swap_.to)) return true;
    const auto& plural = kind.type.plural;
    return (plural == "replicationcontrollers" && is_owned(workload)) || (plural == "jobs" && is_over(workload));
  }

  Task<void> swap_one(WorkloadKind kind, Json workload) {
    auto wanted = workload;
    // A Deployment makes ReplicaSets of its own; those of former times only lose the records that it handed on.
    const bool follows = kind.type.plural == "replicasets" && is_owned(workload);
    const auto change = follows ? Change::kNone : swap_claims(wanted, kind.type, swap_);
    if (change != Change::kByReplacement) co_return co_await write(kind, kube::key_of(workload), follows);
    kind.up(wanted);
    const Replacement replacement{kind.type, made_anew(std::move(wanted)), kube::uid_of(workload)};
    co_await go_on(co_await store(m_.destination, replacement, swap_.plan_uid));
  }

  Task<void> write(WorkloadKind kind, kube::ObjectKey key, bool follows) {
    bool waits = false;
    co_await kube::modify(*m_.destination, kind.type, key, [&, this](Json& object) {
      const bool swapped = !follows && swap_claims(object, kind.type, swap_) != Change::kNone;
      waits = must_see_template(object) && (swapped || !has_seen_template(object));
      if (waits) return swapped;
      const bool started = kind.up(object);
      return swapped || started;
    });
    if (waits) wait(kind.type, key);
  }

  Task<void> go_on(Replacement replacement) {
    if (!co_await replace(m_.destination, replacement)) wait(replacement.type, replacement.key());
  }

  /// What can never work is told at the end; what may work later is tried again by the queue.
  Task<void> attempt(std::string workload, Task<void> work) {
    std::optional<Error> failure;
    try {
      co_await std::move(work);
    } catch (const Error& error) {
      failure = error;
    }
    if (!failure) co_return;
    const auto outcome = judged(*failure);
    for (const auto& reason : outcome.reasons) {
      const auto names_it = reason.starts_with(workload);
      failures_.push_back(names_it ? reason : fmt::format("{}: {}", workload, reason));
    }
  }

  void wait(const kube::ResourceType& type, const kube::ObjectKey& key) {
    waiting_.push_back(fmt::format("{} {}", type.kind, key.str()));
    subjects_.push_back({m_.destination, type, key.ns, ""});
  }

  /// Other plans' conversions pass over claims that nothing uses any more; after the way back they are in use.
  Task<void> label_sources() {
    const auto& claims = swap_.back ? swap_.to : swap_.from;
    Json label = swap_.back ? Json(nullptr) : Json(swap_.plan_uid);
    const Json patch = {{"metadata", {{"labels", {{api::labels::kConvertedBy, std::move(label)}}}}}};
    for (const auto& claim : claims) {
      const auto& type = kube::types::persistent_volume_claims();
      if (co_await m_.destination->get(type, claim))
        co_await m_.destination->patch(type, claim, kube::PatchKind::kMerge, patch);
    }
  }

  bool verdict_is_due() const { return !failures_.empty() || !waiting_.empty(); }

  Outcome verdict() {
    if (!failures_.empty()) {
      auto reasons = std::move(failures_);
      reasons.push_back(
          fmt::format("These workloads do not use the claims that they should; the others do. Put right what is named, "
                      "and run the rollback{} to have all of them use their former claims: mtc migrate {} --rollback",
                      swap_.back ? " again" : "", m_.plan.self.name));
      return fail("MigrationFailed", std::move(reasons));
    }
    if (waiting_.empty()) return done();
    if (m_.in_phase() > kLimit) {
      for (auto& each : waiting_) each += " did not go, or its controller did not look at it, within 10 minutes.";
      failures_.swap(waiting_);
      return verdict();
    }
    for (const auto& each : waiting_) m_.progress.push_back("Waiting for " + each);
    return wait_for(std::move(subjects_), kLook);
  }

  Migration& m_;
  Swap swap_;
  std::set<std::string> namespaces_;
  std::vector<std::string> failures_, waiting_;
  std::vector<Subject> subjects_;
};

}  // namespace

Task<Outcome> carry_out(Migration& m, Swap swap) {
  Run run(&m, std::move(swap));
  co_return co_await run.run();
}

}  // namespace mtc::migrate
