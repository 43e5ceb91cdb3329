#include "migrate/volumes/operations.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "migrate/volumes/attempts.hpp"

namespace mtc::migrate::volumes {
namespace {

using State = PodView::State;
using What = Move::What;

/// Why the attempt has failed; nullopt if it goes on, or has succeeded.
std::optional<Failure> failed(const PodView& sender, const PodView& receiver, bool must_verify) {
  if (sender.ended() && !is_done(sender)) {
    const bool silent = sender.state == State::kFailed && !sender.report;
    // A sender that was only cut off may have been so by a receiver that knows why.
    return silent && receiver.ended() && receiver.report && !is_done(receiver) ? failure_of(receiver)
                                                                               : failure_of(sender);
  }
  if (receiver.ended() && !is_done(receiver)) return failure_of(receiver);
  const bool verified = (sender.report && sender.report->verified) || (receiver.report && receiver.report->verified);
  if (is_done(sender) && receiver.state == State::kAbsent && !verified)
    return Failure{fmt::format("the receiver of Pod {} is gone, and with it what it saw", sender.name), true};
  const bool over = is_done(receiver) && (is_done(sender) || sender.state == State::kAbsent);
  if (over && must_verify && !verified)
    return Failure{fmt::format("Pod {}: what arrived was not read back", receiver.name), false};
  return std::nullopt;
}

Move after(const Failure& failure, const PodView& sender, const PodView& receiver, std::int64_t attempt,
           std::int64_t attempts, Time now) {
  const auto ended = std::max(sender.finished.value_or(Time::min()), receiver.finished.value_or(Time::min()));
  const auto next = next_after(failure, attempt, attempts, ended, now);
  if (next.over) return {What::kFail, next.cause, {}};
  if (sender.alive() || receiver.alive()) return {What::kClear, next.cause, {}};
  return {next.pause > Duration::zero() ? What::kPause : What::kNextAttempt, next.cause, next.pause};
}

}  // namespace

std::vector<Operation> read_operations(const Copying& c) {
  std::map<api::Ref, Operation> known;
  for (const auto& json : array_at(*c.status, "rsyncOperations")) {
    Operation operation{.claim = api::parse_ref(json, "pvcReference"),
                        .attempt = std::max<std::int64_t>(int_at(json, "currentAttempt").value_or(0), 0),
                        .succeeded = bool_at(json, "succeeded"),
                        .failed = bool_at(json, "failed"),
                        .relay_failure = string_at(json, "relayFailure"),
                        .result = object_at(json, "result")};
    known[operation.claim] = operation;
  }
  std::vector<Operation> out;
  out.reserve(c.self.claims.size());
  for (const auto& claim : c.self.claims) {
    auto& operation = known[claim.source];
    operation.claim = claim.source;
    out.push_back(operation);
  }
  return out;
}

void write_operations(const std::vector<Operation>& operations, Json& status) {
  Json list = Json::array();
  for (const auto& operation : operations) {
    Json json = {{"pvcReference", {{"namespace", operation.claim.ns}, {"name", operation.claim.name}}},
                 {"currentAttempt", operation.attempt}};
    if (operation.succeeded) json["succeeded"] = true;
    if (operation.failed) json["failed"] = true;
    if (!operation.relay_failure.empty()) json["relayFailure"] = operation.relay_failure;
    if (operation.result.is_object() && !operation.result.empty()) json["result"] = operation.result;
    list.push_back(std::move(json));
  }
  status["rsyncOperations"] = std::move(list);
}

Json result_of(const PodView& sender, const PodView& receiver) {
  // The receiver read back what arrived; the sender has heard of it, which counts if the receiver is gone.
  for (const auto* pod : {&receiver, &sender}) {
    if (is_done(*pod)) return facts_of(*pod->report);
  }
  return Json::object();
}

Move next_move(const PodView& sender, const PodView& receiver, std::int64_t attempt, std::int64_t attempts,
               bool must_verify, Time now) {
  if (const auto failure = failed(sender, receiver, must_verify))
    return after(*failure, sender, receiver, attempt, attempts, now);
  for (const auto* pod : {&receiver, &sender}) {
    if (const auto failure = stuck(*pod, now)) return {What::kFail, failure->cause, {}};
  }
  if (is_done(sender)) return {receiver.alive() ? What::kWait : What::kSucceed, "", {}};
  const bool leaving = sender.deleting || receiver.deleting;
  if (leaving || is_done(receiver)) {
    // A receiver that is done and whose sender was taken away before it could say so: it knows.
    const bool orphan = is_done(receiver) && sender.state == State::kAbsent;
    return {orphan ? What::kSucceed : What::kWait, "", {}};
  }
  if (sender.alive()) {
    if (receiver.state != State::kAbsent) return {};
    return {What::kClear, fmt::format("the receiver of Pod {} is gone", sender.name), {}};
  }
  if (receiver.state == State::kAbsent) return {What::kCreateReceiver, "", {}};
  const bool listens = receiver.state == State::kRunning && !receiver.ip.empty();
  return {listens ? What::kCreateSender : What::kWait, "", {}};
}

}  // namespace mtc::migrate::volumes
