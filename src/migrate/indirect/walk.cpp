#include "migrate/indirect/walk.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/patch.hpp"
#include "migrate/indirect/pod_volumes.hpp"
#include "migrate/volumes/losses.hpp"
#include "migrate/volumes/making.hpp"

namespace mtc::migrate::indirect {
namespace {

using volumes::PodView;
using What = Move::What;

constexpr auto kLook = std::chrono::seconds(30);
constexpr auto kWhileItRuns = std::chrono::seconds(2);  ///< a log tells nobody that it has grown

constexpr std::size_t kLosses = 21;  ///< one more than are named
constexpr auto kSlow = std::chrono::minutes(10);

/// A claim in one pass.
struct Item {
  api::PlanVolume volume;
  Json object;  ///< its PodVolumeBackup or PodVolumeRestore
  Json pod;     ///< of the current attempt; null if there is none
  PodView view;
};

/// What the copy of a claim lacks so far: a restore begins with what its backup lacked.
std::optional<volumes::Report> losses_before(const Item& item) {
  return volumes::parse_report(kube::annotation(item.object, api::annotations::kLosses));
}

/// A line of a mover, cut to what is shown of it, after what the copy lacked before.
std::string losses_of(const volumes::Report& report, const volumes::Report& before) {
  const auto some = [](std::vector<std::string> texts, const std::vector<std::string>& more) {
    std::ranges::copy(more, std::back_inserter(texts));
    if (texts.size() > kLosses) texts.resize(kLosses);
    return texts;
  };
  return dump({{"phase", report.phase},
               {"skipped", some(before.skipped, report.skipped)},
               {"notes", some(before.notes, report.notes)}});
}

class Walk {
 public:
  Walk(Migration* m, Direction direction) : m_(*m), direction_(std::move(direction)) {}

  Task<VolumeWork> run() {
    co_await read();
    co_await look();
    co_await begin_more();
    for (auto& item : items_) {
      if (stand_of(item.object) == Stand::kActive) co_await move(&item);
    }
    co_return verdict();
  }

 private:
  const api::Ref& claim_of(const Item& item) const { return item.volume.*direction_.own; }

  Task<void> read() {
    std::map<std::string, Json> known;
    const kube::ListOptions ours{.label_selector = fmt::format("{}={}", api::labels::kMigration, m_.self.uid)};
    for (auto& object : co_await kube::list_all(*direction_.cluster, direction_.type, api::kNamespace, ours)) {
      const auto name = kube::key_of(object).name;
      known[name] = std::move(object);
    }
    for (auto& volume : staged_volumes(m_)) {
      Json object;
      if (const auto at = known.find(pod_volume_name(direction_.parent, volume)); at != known.end()) {
        object = std::move(at->second);
      } else {
        const auto wanted = co_await direction_.object_of(m_, direction_.parent, volume);
        object =
            co_await volumes::ensure_labelled(direction_.cluster, direction_.type, wanted, api::labels::kMigration);
      }
      items_.push_back({std::move(volume), std::move(object), Json(), {}});
    }
  }

  std::vector<Subject> pod_subjects() const {
    std::vector<Subject> out;
    const bool source = direction_.side == Side::kSource;
    for (const auto& ns : source ? m_.source_namespaces() : m_.destination_namespaces())
      out.push_back({direction_.cluster, kube::types::pods(), ns, helpers_of_migration(m_)});
    return out;
  }

  Task<void> look() {
    std::map<kube::ObjectKey, Json> pods;
    for (const auto& subject : pod_subjects()) {
      const kube::ListOptions options{.label_selector = subject.label_selector};
      for (auto& pod : co_await kube::list_all(*subject.cluster, subject.type, subject.ns, options)) {
        const auto key = kube::key_of(pod);
        pods[key] = std::move(pod);
      }
    }
    for (auto& item : items_) {
      const auto attempt = attempt_of(item.object);
      const auto key = pod_key(item, attempt);
      const auto at = pods.find(key);
      if (attempt == 0 || at == pods.end()) continue;
      item.pod = at->second;
      item.view = volumes::view_of(&item.pod);
      co_await volumes::hear_last_words(direction_.cluster, key, &item.view);
    }
  }

  kube::ObjectKey pod_key(const Item& item, std::int64_t attempt) const {
    const auto& claim = claim_of(item);
    return {claim.ns, mover_name(m_, direction_.side, claim, attempt)};
  }

  bool any(Stand stand) const {
    return std::ranges::any_of(items_, [&](const Item& item) { return stand_of(item.object) == stand; });
  }

  Task<void> begin_more() {
    if (any(Stand::kFailed)) co_return;
    auto active =
        std::ranges::count_if(items_, [](const Item& item) { return stand_of(item.object) == Stand::kActive; });
    for (auto& item : items_) {
      if (static_cast<std::size_t>(active) >= m_.volumes.at_once) co_return;
      if (stand_of(item.object) != Stand::kWaiting) continue;
      co_await begin(&item, 1);
      ++active;
    }
  }

  /// On record before its pod is made.
  Task<void> begin(Item* item, std::int64_t attempt) {
    Json status = {{"phase", "InProgress"}, {"progress", {{"totalBytes", 0}, {"bytesDone", 0}}}};
    if (string_at(item->object, "status.startTimestamp").empty()) status["startTimestamp"] = rfc3339(m_.clock->now());
    const Json annotations = {{api::annotations::kAttempt, std::to_string(attempt)}};
    co_await write(item, {{"metadata", {{"annotations", annotations}}}, {"status", std::move(status)}});
    item->pod = Json();
    item->view = {};
  }

  Task<void> write(Item* item, Json patch) {
    if (apply_merge_patch(item->object, patch) == item->object) co_return;
    item->object = co_await direction_.cluster->patch(direction_.type, kube::key_of(item->object),
                                                      kube::PatchKind::kMerge, std::move(patch));
  }

  Task<void> move(Item* item) {
    const auto attempt = attempt_of(item->object);
    const auto attempts = volumes::attempts_of(m_.volumes, 0);
    const auto move = next_move(item->view, attempt, attempts, direction_.proof_of(m_, item->volume), m_.clock->now());
    switch (move.what) {
      case What::kWait: co_await show_progress(item); break;
      case What::kCreate: co_await create(item, attempt); break;
      case What::kPause: sooner(move.pause); break;
      case What::kNextAttempt:
        co_await begin(item, attempt + 1);
        co_await create(item, attempt + 1);
        break;
      case What::kSucceed: co_await finish(item, "Completed", ""); break;
      case What::kFail: co_await finish(item, "Failed", move.cause); break;
    }
  }

  Task<void> create(Item* item, std::int64_t attempt) {
    co_await volumes::ensure_mover({.cluster = direction_.cluster,
                                    .mover = co_await direction_.mover_of(m_, direction_.parent, item->volume, attempt),
                                    .source = m_.source,
                                    .claim = item->volume.claim,
                                    .run_as = m_.self.run_as,
                                    .owner = api::labels::kMigration});
  }

  Task<void> show_progress(Item* item) {
    if (item->view.state == PodView::State::kPending && !item->view.trouble.empty()) note_trouble(item->view);
    if (item->view.state != PodView::State::kRunning) co_return;
    sooner(kWhileItRuns);
    const auto report = co_await volumes::last_report(direction_.cluster, kube::key_of(item->pod));
    if (!report) co_return;
    const Json progress = {{"totalBytes", report->bytes_total}, {"bytesDone", report->bytes}};
    co_await write(item, {{"status", {{"progress", progress}}}});
  }

  void note_trouble(const PodView& pod) {
    notes_.push_back(fmt::format("Pod {}: {}", pod.name, pod.trouble));
    if (pod.created && m_.clock->now() - *pod.created > kSlow) late_.push_back(pod.name);
  }

  Task<void> finish(Item* item, const char* phase, const std::string& cause) {
    const auto& report = item->view.report;
    Json status = {{"phase", phase}, {"message", cause}, {"completionTimestamp", rfc3339(m_.clock->now())}};
    Json spec = {{"pod",
                  {{"kind", "Pod"},
                   {"namespace", claim_of(*item).ns},
                   {"name", pod_key(*item, attempt_of(item->object)).name},
                   {"uid", kube::uid_of(item->pod)}}}};
    if (direction_.side == Side::kSource) spec["node"] = string_at(item->pod, "spec.nodeName");
    Json annotations = Json::object();
    if (cause.empty()) {
      const auto bytes = report->bytes;
      status["progress"] = {{"totalBytes", bytes}, {"bytesDone", bytes}};
      status["path"] = "/";
      auto facts = volumes::facts_of(*report);
      // What earlier attempts moved is found in place by this one, so that its number is not the copy's.
      if (attempt_of(item->object) > 1) facts.erase("movedBytes");
      annotations[api::annotations::kVolumeResult] = dump(facts);
      if (!report->snapshot.empty()) status["snapshotID"] = report->snapshot;
      // Its pod may be gone when the last claim is done.
      if (!report->skipped.empty() || !report->notes.empty())
        annotations[api::annotations::kLosses] = losses_of(*report, losses_before(*item).value_or(volumes::Report{}));
    }
    co_await write(item, {{"metadata", {{"annotations", std::move(annotations)}}},
                          {"spec", std::move(spec)},
                          {"status", std::move(status)}});
    if (cause.empty() && direction_.release != nullptr) co_await direction_.release(m_, item->volume);
    sooner(Duration::zero());  // the next one's turn
  }

  void sooner(Duration when) {
    if (!again_ || *again_ > when) again_ = when;
  }

  VolumeWork verdict() {
    VolumeWork out;
    for (const auto& item : items_) {
      out.lines.push_back(line_of(item.object, m_.clock->now()));
      out.objects.push_back(item.object);
      if (stand_of(item.object) == Stand::kCompleted) ++out.count.done;
    }
    out.count.total = static_cast<std::int64_t>(items_.size());
    std::ranges::sort(out.lines);
    std::ranges::copy(notes_, std::back_inserter(out.lines));
    const bool failed = any(Stand::kFailed);
    out.done = !any(Stand::kActive) && (failed || !any(Stand::kWaiting));
    warn();
    if (!out.done) {
      out.wake_on = pod_subjects();
      out.again_after = again_.value_or(kLook);
      return out;
    }
    if (failed) {
      explain(&out);
    } else {
      tell_losses();
    }
    return out;
  }

  void warn() {
    if (late_.empty()) return;
    m_.conditions->set({.type = "VolumeMoversPending",
                        .category = api::Category::kWarn,
                        .reason = "NotRunning",
                        .message = "Pods that carry volumes are not running after 10 minutes: []. See `kubectl "
                                   "describe pod` of each, and the migration's progress.",
                        .items = late_});
  }

  void explain(VolumeWork* out) const {
    std::size_t left = 0;
    for (const auto& item : items_) {
      const auto stand = stand_of(item.object);
      if (stand == Stand::kWaiting) ++left;
      if (stand != Stand::kFailed) continue;
      ++out->failed;
      if (item.view.report && !item.view.report->differences.empty()) ++out->differing;
      out->reasons.push_back(fmt::format("PersistentVolumeClaim {} {}: {} (repository {})", claim_of(item).str(),
                                         direction_.failed_to, string_at(item.object, "status.message"),
                                         string_at(item.object, "spec.repoIdentifier")));
    }
    if (left > 0) out->reasons.push_back(fmt::format("{} more claims were not begun.", left));
  }

  void tell_losses() const {
    volumes::Losses losses;
    for (const auto& item : items_) losses.add(item.volume.claim, losses_before(item));
    losses.tell(*m_.conditions);
  }

  Migration& m_;
  Direction direction_;
  std::vector<Item> items_;
  std::vector<std::string> notes_;  ///< why pods do not start
  std::vector<std::string> late_;   ///< those that have not for long
  std::optional<Duration> again_;
};

}  // namespace

Task<VolumeWork> walk(Migration& m, Direction direction) {
  Walk pass(&m, std::move(direction));
  co_return co_await pass.run();
}

}  // namespace mtc::migrate::indirect
