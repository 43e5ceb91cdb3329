#include "migrate/volumes/attempts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.hpp"

namespace mtc::migrate::volumes {
namespace {

using State = PodView::State;

constexpr auto kPendingLimit = std::chrono::hours(1);
constexpr auto kFirstPause = std::chrono::seconds(1);
constexpr auto kLongestPause = std::chrono::minutes(1);
constexpr std::size_t kNamed = 5;  ///< paths in a message

std::string with_paths(const Report& report) {
  if (report.differences.empty()) return report.message;
  auto named = report.differences;
  const auto more = named.size() > kNamed ? named.size() - kNamed : 0;
  if (more > 0) named.resize(kNamed);
  return fmt::format("{} [{}{}]", report.message, join(named, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

Duration pause_after(std::int64_t attempt) {
  Duration pause = kFirstPause;
  for (std::int64_t i = 1; i < attempt && pause < kLongestPause; ++i) pause *= 2;
  return std::min<Duration>(pause, kLongestPause);
}

}  // namespace

Failure failure_of(const PodView& pod) {
  const auto& report = pod.report;
  if (report && report->failed()) return {fmt::format("Pod {}: {}", pod.name, with_paths(*report)), report->retry};
  if (pod.state == State::kSucceeded) {
    // Whatever ran there, it was no mover: the image is wrong.
    return {fmt::format("Pod {} ended without a report: see RSYNC_TRANSFER_IMAGE of ConfigMap migration-cluster-config",
                        pod.name),
            false};
  }
  return {fmt::format("Pod {}: {}", pod.name, pod.trouble), true};
}

bool is_done(const PodView& pod) { return pod.state == State::kSucceeded && pod.report && pod.report->done(); }

std::optional<Failure> stuck(const PodView& pod, Time now) {
  if (pod.state != State::kPending || !pod.created || now - *pod.created < kPendingLimit) return std::nullopt;
  return Failure{fmt::format("Pod {} has not started within an hour: {}", pod.name, pod.trouble), false};
}

Next next_after(const Failure& failure, std::int64_t attempt, std::int64_t attempts, Time ended, Time now) {
  if (!failure.retry) return {true, failure.cause, {}};
  if (attempt >= attempts) return {true, fmt::format("{} (attempt {} of {})", failure.cause, attempt, attempts), {}};
  if (ended == Time::min()) return {false, failure.cause, {}};
  const auto left = std::chrono::duration_cast<Duration>(ended - now) + pause_after(attempt);
  return {false, failure.cause, std::clamp<Duration>(left, Duration::zero(), kLongestPause)};
}

}  // namespace mtc::migrate::volumes
