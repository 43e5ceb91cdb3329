#include "migrate/indirect/moves.hpp"

#include <optional>

#include <fmt/format.h>

#include "migrate/volumes/attempts.hpp"

namespace mtc::migrate::indirect {
namespace {

using volumes::Failure;
using volumes::PodView;
using What = Move::What;

/// Why a pod that ended has failed; nullopt if it has not.
std::optional<Failure> failed(const PodView& pod, const Proof& proof) {
  if (!volumes::is_done(pod)) return volumes::failure_of(pod);
  if (proof.snapshot && pod.report->snapshot.empty())
    return Failure{fmt::format("Pod {} says that it is done and names no snapshot", pod.name), false};
  if (proof.verified && !pod.report->verified)
    return Failure{fmt::format("Pod {}: what it restored was not read back", pod.name), false};
  return std::nullopt;
}

}  // namespace

Move next_move(const PodView& pod, std::int64_t attempt, std::int64_t attempts, Proof proof, Time now) {
  if (pod.state == PodView::State::kAbsent) return {What::kCreate, "", {}};
  if (const auto failure = volumes::stuck(pod, now)) return {What::kFail, failure->cause, {}};
  if (!pod.ended()) return {};
  const auto failure = failed(pod, proof);
  if (!failure) return {What::kSucceed, "", {}};
  const auto next = volumes::next_after(*failure, attempt, attempts, pod.finished.value_or(Time::min()), now);
  if (next.over) return {What::kFail, next.cause, {}};
  return {next.pause > Duration::zero() ? What::kPause : What::kNextAttempt, next.cause, next.pause};
}

}  // namespace mtc::migrate::indirect
