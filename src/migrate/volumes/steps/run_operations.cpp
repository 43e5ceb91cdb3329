#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "migrate/volumes/claim_use.hpp"
#include "migrate/volumes/endpoints.hpp"
#include "migrate/volumes/helpers.hpp"
#include "migrate/volumes/losses.hpp"
#include "migrate/volumes/mover_pods.hpp"
#include "migrate/volumes/progress.hpp"
#include "migrate/volumes/steps/steps.hpp"
#include "plan/mover_pod.hpp"
#include "plan/types.hpp"

namespace mtc::migrate::volumes {
namespace {

using What = Move::What;
constexpr auto kLook = std::chrono::minutes(1);
constexpr auto kRelayed =
    std::chrono::seconds(5);  ///< while anything goes by a relay, which tells nobody that it broke
constexpr auto kHarvest = std::chrono::seconds(20);  ///< for the progress of a pod that has ended to be taken down
constexpr auto kFailedPhase = "MigrationFailed";

/// One pass over all claims.
class Pass {
 public:
  explicit Pass(Copying* c) : c_(*c), operations_(read_operations(*c)), seen_(operations_.size()) {}

  Task<Outcome> run() {
    co_await look();
    begin_more();
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (operations_[i].active()) co_await move(i);
    }
    relay();
    write_operations(operations_, *c_.status);
    write_lists(c_, operations_, seen_, progresses_, *c_.status);
    warn();
    co_return verdict();
  }

 private:
  Task<void> look() {
    const auto senders = co_await pods_of(c_, Side::kSource);
    const auto receivers = co_await pods_of(c_, Side::kDestination);
    const auto view = [](const std::map<kube::ObjectKey, Json>& pods, const kube::ObjectKey& key) {
      const auto at = pods.find(key);
      return view_of(at == pods.end() ? nullptr : &at->second);
    };
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const auto& claim = c_.self.claims[i];
      const auto attempt = std::max<std::int64_t>(operations_[i].attempt, 1);
      seen_[i] = {view(senders, {claim.source.ns, sender_name(c_, claim, attempt)}),
                  view(receivers, {claim.target.ns, receiver_name(c_, claim, attempt)})};
      if (const auto at = receivers.find({claim.target.ns, receiver_name(c_, claim, attempt)}); at != receivers.end())
        receivers_[i] = at->second;
      if (!operations_[i].active()) continue;
      co_await hear_last_words(c_.source, {claim.source.ns, sender_name(c_, claim, attempt)}, &seen_[i].sender);
      co_await hear_last_words(c_.destination, {claim.target.ns, receiver_name(c_, claim, attempt)},
                               &seen_[i].receiver);
    }
    const kube::ListOptions ours{.label_selector = selector_of(c_)};
    for (auto& progress : co_await kube::list_all(*c_.host, plan::types::volume_progresses(), api::kNamespace, ours)) {
      const auto name = kube::key_of(progress).name;
      progresses_[name] = std::move(progress);
    }
  }

  /// A claim that failed for good ends the migration: nothing more is begun then, what runs may end.
  void begin_more() {
    if (std::ranges::any_of(operations_, &Operation::failed)) return;
    auto active = static_cast<std::size_t>(std::ranges::count_if(operations_, &Operation::active));
    for (auto& operation : operations_) {
      if (active >= c_.settings.at_once) return;
      if (operation.attempt > 0) continue;
      operation.attempt = 1;
      ++active;
    }
  }

  Task<void> move(std::size_t i) {
    auto& operation = operations_[i];
    const auto& claim = c_.self.claims[i];
    const auto& [sender, receiver] = seen_[i];
    const auto move =
        next_move(sender, receiver, operation.attempt, attempts(), c_.is_cutover() || claim.verify, c_.clock->now());
    switch (move.what) {
      case What::kWait: break;
      case What::kCreateReceiver: co_await ensure_receiver(c_, claim, operation.attempt); break;
      case What::kCreateSender: co_await create_sender(i); break;
      case What::kClear: co_await clear(i); break;
      case What::kPause: sooner(move.pause); break;
      case What::kNextAttempt:
        ++operation.attempt;  // stored before the pods of that attempt are made
        operation.relay_failure.clear();
        sooner(Duration::zero());
        break;
      case What::kSucceed:
        operation.succeeded = true;
        operation.result = result_of(sender, receiver);
        // What earlier attempts moved is found in place by this one, so that its number is not the copy's.
        if (operation.attempt > 1) operation.result.erase("movedBytes");
        break;
      case What::kFail:
        operation.failed = true;
        causes_.push_back(failure_text(i, move.cause));
        break;
    }
    if (operation.ended()) sooner(Duration::zero());  // the next one's turn
  }

  std::int64_t attempts() const { return attempts_of(c_.settings, c_.self.back_off_limit); }

  void sooner(Duration when) {
    if (!again_ || *again_ > when) again_ = when;
  }

  Task<void> create_sender(std::size_t i) {
    const auto& claim = c_.self.claims[i];
    const auto source = co_await kube::must_get(*c_.source, kube::types::persistent_volume_claims(),
                                                {claim.source.ns, claim.source.name});
    const auto service =
        co_await c_.destination->get(kube::types::services(), {claim.target.ns, service_name(c_, claim)});
    std::vector<std::string> to;
    if (service)
      to = addresses(receivers_.at(i), *service, co_await nodes(), c_.source->url() == c_.destination->url());
    const auto image = co_await plan::mover_image(c_.source);
    const auto user = is_of_one_node(source) ? co_await user_of(c_.source, claim.source) : ClaimUser{};
    co_await ensure_sender(c_, claim, sender(c_, claim, source, operations_[i].attempt, image, to, user.node));
  }

  /// A sender that no address led on waits for a relay, and needs it to its end.
  void relay() {
    std::set<kube::ObjectKey> relayed;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (!operations_[i].active() || !goes_by_relay(i)) continue;
      const auto& claim = c_.self.claims[i];
      const auto attempt = operations_[i].attempt;
      const kube::ObjectKey sender{claim.source.ns, sender_name(c_, claim, attempt)};
      const auto failure =
          c_.relays->ensure(c_.self.self.str(), {.source = c_.source,
                                                 .destination = c_.destination,
                                                 .sender = sender,
                                                 .receiver = {claim.target.ns, receiver_name(c_, claim, attempt)}});
      operations_[i].relay_failure = failure ? failure->what() : "";
      relayed.insert(sender);
      sooner(kRelayed);
    }
    c_.relays->keep(c_.self.self.str(), relayed);
  }

  /// Its progress says so, which is of the newest attempt.
  bool goes_by_relay(std::size_t i) const {
    const auto& [sender, receiver] = seen_[i];
    if (sender.state != PodView::State::kRunning || sender.deleting) return false;
    const auto& claim = c_.self.claims[i];
    const auto at = progresses_.find(progress_name(c_, claim));
    return at != progresses_.end() && string_at(at->second, "status.way") == kByRelay &&
           string_at(at->second, "status.podName") == sender_name(c_, claim, operations_[i].attempt);
  }

  /// An account that may not see nodes reaches receivers in the other ways.
  Task<std::vector<Json>> nodes() {
    try {
      co_return co_await kube::list_all(*c_.destination, kube::types::nodes(), "");
    } catch (const Error& error) {
      if (error.code() != Code::kForbidden) throw;
    }
    co_return std::vector<Json>{};
  }

  Task<void> clear(std::size_t i) {
    const auto& claim = c_.self.claims[i];
    const auto attempt = operations_[i].attempt;
    if (seen_[i].sender.alive())
      co_await c_.source->remove(kube::types::pods(), {claim.source.ns, sender_name(c_, claim, attempt)});
    if (seen_[i].receiver.alive())
      co_await c_.destination->remove(kube::types::pods(), {claim.target.ns, receiver_name(c_, claim, attempt)});
  }

  void warn() {
    warn_of_relays();
    const auto late = late_senders(operations_, seen_, c_.clock->now());
    if (late.empty()) return;
    c_.conditions->set({.type = "RsyncClientPodsPending",
                        .category = api::Category::kWarn,
                        .reason = "PodStuckInContainerCreating",
                        .message = "Sending Pods of the source are not running after 10 minutes: []. See `kubectl "
                                   "describe pod` of each there.",
                        .items = late});
  }

  void warn_of_relays() {
    std::vector<std::string> failing;
    for (const auto& operation : operations_) {
      if (operation.active() && !operation.relay_failure.empty())
        failing.push_back(fmt::format("{} ({})", operation.claim.str(), operation.relay_failure));
    }
    if (failing.empty()) return;
    c_.conditions->set({.type = "RsyncRelayFailing",
                        .category = api::Category::kWarn,
                        .reason = "NotConnected",
                        .message = "No address of the destination answers for these PersistentVolumeClaims, and the "
                                   "way through the API servers fails, too; it is tried again: [].",
                        .items = failing});
  }

  /// Whether the progress of each last attempt is on record: its pod goes next.
  bool is_harvested(std::size_t i) const {
    const auto& sender = seen_[i].sender;
    if (!sender.ended()) return true;
    if (!sender.finished || c_.clock->now() - *sender.finished > kHarvest) return true;
    const auto at = progresses_.find(progress_name(c_, c_.self.claims[i]));
    if (at == progresses_.end()) return true;
    const auto phase = string_at(at->second, "status.phase");
    return string_at(at->second, "status.podName") == sender_name(c_, c_.self.claims[i], operations_[i].attempt) &&
           (phase == "Succeeded" || phase == "Failed");
  }

  Outcome verdict() {
    // What is found in one pass is in `errors` only when all have ended; causes of earlier passes are found again.
    const bool any_active = std::ranges::any_of(operations_, &Operation::active);
    const bool any_failed = std::ranges::any_of(operations_, &Operation::failed);
    const bool any_left = std::ranges::any_of(operations_, [](const Operation& each) { return !each.ended(); });
    if (any_active || (any_left && !any_failed)) return waiting();
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (is_harvested(i)) continue;
      sooner(kHarvest);
      return waiting();
    }
    if (!any_failed) {
      tell_losses();
      return done();
    }
    auto why = reasons();
    show_network(why);
    return fail(kFailedPhase, std::move(why));
  }

  void tell_losses() const {
    Losses losses;
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      for (const auto* end : {&seen_[i].sender, &seen_[i].receiver}) losses.add(c_.self.claims[i].source, end->report);
    }
    losses.tell(*c_.conditions);
  }

  /// If no claim was copied, and all for the same reason, it is the network between the clusters.
  void show_network(const std::vector<std::string>& why) {
    if (std::ranges::any_of(operations_, &Operation::succeeded)) return;
    const auto all_say = [&](std::string_view words) {
      return std::ranges::all_of(why, [&](const std::string& reason) {
        return reason.contains(words) || !reason.starts_with("PersistentVolumeClaim ");
      });
    };
    const bool no_route = all_say("No route to host");
    if (!no_route && !all_say("no answer within")) return;
    c_.conditions->set({.type = "SourceToDestinationNetworkError",
                        .category = api::Category::kCritical,
                        .reason = no_route ? "RsyncNoRouteToHost" : "RsyncTimedOut",
                        .message =
                            "No sender on the source reached its receiver on the destination. See: Errors, which "
                            "name each address that was tried.",
                        .durable = true});
  }

  Outcome waiting() const {
    auto subjects = pod_subjects(c_, Side::kSource);
    for (auto& subject : pod_subjects(c_, Side::kDestination)) subjects.push_back(std::move(subject));
    subjects.push_back({c_.host, plan::types::volume_progresses(), api::kNamespace, selector_of(c_)});
    return wait_for(std::move(subjects), again_.value_or(kLook));
  }

  /// A claim that failed in an earlier pass tells why again: its pods are still there.
  std::vector<std::string> reasons() {
    std::vector<std::string> out = causes_;
    std::size_t left = 0;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const auto& claim = c_.self.claims[i];
      if (!operations_[i].ended()) ++left;
      if (!operations_[i].failed || is_told(out, claim)) continue;
      const auto move = next_move(seen_[i].sender, seen_[i].receiver, operations_[i].attempt, operations_[i].attempt,
                                  c_.is_cutover() || claim.verify, c_.clock->now());
      out.push_back(failure_text(i, move.cause.empty() ? "its Pods are gone" : move.cause));
    }
    if (left > 0) out.push_back(fmt::format("{} more claims were not begun.", left));
    return out;
  }

  std::string failure_text(std::size_t i, const std::string& cause) const {
    const auto& claim = c_.self.claims[i];
    auto text =
        fmt::format("PersistentVolumeClaim {} was not copied to {}: {}", claim.source.str(), claim.target.str(), cause);
    if (const auto& relay = operations_[i].relay_failure; !relay.empty()) text += "; " + relay;
    return text;
  }

  static bool is_told(const std::vector<std::string>& reasons, const api::ClaimCopy& claim) {
    const auto begin = fmt::format("PersistentVolumeClaim {} ", claim.source.str());
    return std::ranges::any_of(reasons, [&](const std::string& reason) { return reason.starts_with(begin); });
  }

  Copying& c_;
  std::vector<Operation> operations_;
  std::vector<Seen> seen_;
  std::map<std::size_t, Json> receivers_;
  std::map<std::string, Json> progresses_;
  std::vector<std::string> causes_;
  std::optional<Duration> again_;
};

}  // namespace

Task<Outcome> run_operations(Copying& c) {
  if (c.self.type == api::CopyType::kRollback) co_return done();  // the source has its files still
  Pass pass(&c);
  co_return co_await pass.run();
}

}  // namespace mtc::migrate::volumes
