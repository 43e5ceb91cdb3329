#include "migrate/volumes/mover_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "plan/mover_pod.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr std::size_t kMaxLine = 256 * 1024;
constexpr std::size_t kMaxText = 2000;
constexpr std::size_t kMaxTexts = 100;
constexpr std::size_t kMaxWay = 300;
constexpr std::size_t kSnapshotId = 64;

/// At most so many bytes, not in the middle of a character.
std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return text.substr(0, most) + "…";
}

std::vector<std::string> texts_at(const Json& object, std::string_view name) {
  auto texts = strings_at(object, name);
  if (texts.size() > kMaxTexts) texts.resize(kMaxTexts);
  for (auto& text : texts) text = cut(std::move(text), kMaxText);
  return texts;
}

std::string snapshot_at(const Json& object) {
  auto id = string_at(object, "snapshot");
  const bool is_id = id.size() == kSnapshotId &&
                     std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return is_id ? id : "";
}

const Json& container_of(const Json& pod) {
  static const Json none = Json::object();
  for (const auto& status : array_at(pod, "status.containerStatuses")) {
    if (string_at(status, "name") == plan::kMoverContainer) return status;
  }
  return none;
}

std::string and_message(const std::string& reason, const std::string& message) {
  return message.empty() ? reason : fmt::format("{}: {}", reason, cut(message, kMaxText));
}

/// Why a pod that has not started does not.
std::string hindrance(const Json& pod, const Json& container) {
  auto waiting = string_at(container, "state.waiting.reason");
  if (!waiting.empty() && waiting != "ContainerCreating" && waiting != "PodInitializing")
    return and_message(waiting, string_at(container, "state.waiting.message"));
  for (const auto& condition : array_at(pod, "status.conditions")) {
    if (string_at(condition, "type") == "PodScheduled" && string_at(condition, "status") == "False")
      return and_message(string_at(condition, "reason"), string_at(condition, "message"));
  }
  return waiting;
}

/// How a pod ended that says nothing itself: killed, evicted, lost with its node.
std::string ending(const Json& pod, const Json& container) {
  if (const auto reason = string_at(pod, "status.reason"); !reason.empty())
    return and_message(reason, string_at(pod, "status.message"));
  const auto& terminated = object_at(container, "state.terminated");
  if (terminated.empty()) return "it ended";
  const auto code = int_at(terminated, "exitCode").value_or(0);
  return fmt::format("it ended with exit code {} ({})", code, string_at(terminated, "reason"));
}

PodView::State state_of(const std::string& phase) {
  if (phase == "Running") return PodView::State::kRunning;
  if (phase == "Succeeded") return PodView::State::kSucceeded;
  if (phase == "Failed") return PodView::State::kFailed;
  return PodView::State::kPending;
}

}  // namespace

std::optional<Report> parse_report(std::string_view line) {
  line = trim(line);
  if (line.empty() || line.front() != '{' || line.size() > kMaxLine) return std::nullopt;
  Json object;
  try {
    object = parse_json(line, {.max_depth = 8, .max_bytes = kMaxLine});
  } catch (const Error&) {  // A container may print anything.
    return std::nullopt;
  }
  Report out;
  out.phase = cut(string_at(object, "phase"), 32);
  if (out.phase.empty()) return std::nullopt;
  if (const auto percent = int_at(object, "percent"))
    out.percent = static_cast<int>(std::clamp<std::int64_t>(*percent, 0, 100));
  out.rate = cut(string_at(object, "rate"), 32);
  out.files = std::max<std::int64_t>(int_at(object, "files").value_or(0), 0);
  out.bytes = std::max<std::int64_t>(int_at(object, "bytes").value_or(0), 0);
  out.bytes_total = std::max<std::int64_t>(int_at(object, "bytesTotal").value_or(0), 0);
  if (const auto moved = int_at(object, "movedBytes")) out.moved = std::max<std::int64_t>(*moved, 0);
  out.message = cut(string_at(object, "message"), kMaxText);
  out.way = cut(string_at(object, "way"), kMaxWay);
  out.failed_ways = texts_at(object, "failedWays");
  out.retry = bool_at(object, "retry", true);
  out.verified = bool_at(object, "verified");
  out.device = bool_at(object, "device");
  out.root = cut(string_at(object, "root"), 64);
  out.snapshot = snapshot_at(object);
  out.skipped = texts_at(object, "skipped");
  out.differences = texts_at(object, "differences");
  out.notes = texts_at(object, "notes");
  return out;
}

Json facts_of(const Report& report) {
  Json out = {{"bytes", report.bytes}, {"verified", report.verified}};
  if (report.device) {
    out["device"] = true;
  } else {
    out["files"] = report.files;
  }
  if (report.moved) out["movedBytes"] = *report.moved;
  if (!report.root.empty()) out["root"] = report.root;
  return out;
}

PodView view_of(const Json* pod) {
  PodView out;
  if (pod == nullptr) return out;
  const auto& container = container_of(*pod);
  const auto& terminated = object_at(container, "state.terminated");
  out.name = kube::key_of(*pod).str();
  out.state = state_of(string_at(*pod, "status.phase"));
  out.ip = string_at(*pod, "status.podIP");
  out.created = parse_rfc3339(string_at(*pod, "metadata.creationTimestamp"));
  out.started = parse_rfc3339(string_at(container, "state.running.startedAt"));
  out.deleting = kube::is_being_deleted(*pod);
  if (out.state == PodView::State::kPending) out.trouble = hindrance(*pod, container);
  if (!out.ended()) return out;
  out.started = parse_rfc3339(string_at(terminated, "startedAt"));
  out.finished = parse_rfc3339(string_at(terminated, "finishedAt"));
  out.exit_code = int_at(terminated, "exitCode");
  out.report = parse_report(string_at(terminated, "message"));
  out.trouble = ending(*pod, container);
  return out;
}

Task<std::optional<Report>> last_report(kube::ClientPtr cluster, kube::ObjectKey pod) {
  std::optional<std::string> log;
  try {
    log = co_await cluster->log(pod, {.container = plan::kMoverContainer, .tail_lines = 3});
  } catch (const Error&) {  // A node that is lost has no logs; how its pod ended is known without.
    co_return std::nullopt;
  }
  std::optional<Report> newest;
  for (const auto& line : split(log.value_or(""), '\n')) {
    if (auto report = parse_report(line)) newest = std::move(report);
  }
  co_return newest;
}

Task<void> hear_last_words(kube::ClientPtr cluster, kube::ObjectKey pod, PodView* view) {
  if (view->ended() && !view->report) view->report = co_await last_report(std::move(cluster), std::move(pod));
}

}  // namespace mtc::migrate::volumes
