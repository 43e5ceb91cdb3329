#include "migrate/volumes/progress.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/strings.hpp"

namespace mtc::migrate::volumes {
namespace {

using State = PodView::State;
constexpr auto kLate = std::chrono::minutes(10);
constexpr std::size_t kTail = 5;       ///< lines
constexpr std::size_t kMaxLine = 300;  ///< of what a person reads
constexpr std::size_t kHistory = 50;   ///< attempts that are remembered

std::string elapsed_of(const PodView& pod, Time now) {
  if (!pod.started) return "";
  return go_seconds(std::max<Duration>(pod.finished.value_or(now) - *pod.started, Duration::zero()));
}

const char* list_of(const Operation& operation, const PodView& sender) {
  if (operation.failed) return "failedPods";
  if (operation.succeeded) return "successfulPods";
  if (sender.state == State::kRunning || sender.ended()) return "runningPods";
  return "pendingPods";
}

Json entry_of(const Copying& c, const api::ClaimCopy& claim, const Operation& operation, const Json* progress,
              const PodView& sender) {
  Json entry = {{"namespace", claim.source.ns},
                {"name", sender_name(c, claim, std::max<std::int64_t>(operation.attempt, 1))},
                {"pvcRef", {{"namespace", claim.source.ns}, {"name", claim.source.name}}}};
  const bool current = progress != nullptr && string_at(*progress, "status.podName") == string_at(entry, "name");
  auto percent = current ? string_at(*progress, "status.lastObservedProgressPercent") : "";
  if (operation.succeeded) percent = "100%";
  const auto rate = current ? string_at(*progress, "status.lastObservedTransferRate") : "";
  auto elapsed = current ? string_at(*progress, "status.rsyncElapsedTime") : "";
  if (elapsed.empty()) elapsed = elapsed_of(sender, c.clock->now());
  if (!percent.empty()) entry["lastObservedProgressPercent"] = percent;
  if (!rate.empty()) entry["lastObservedTransferRate"] = rate;
  if (!elapsed.empty()) entry["totalElapsedTime"] = elapsed;
  if (const auto way = current ? string_at(*progress, "status.way") : ""; !way.empty()) entry["way"] = way;
  return entry;
}

bool is_late(const Operation& operation, const PodView& sender, Time now) {
  return operation.active() && sender.state == State::kPending && sender.created && now - *sender.created > kLate;
}

std::vector<std::string> lines_of(const std::string& log) {
  std::vector<std::string> out;
  for (const auto& raw : split(log, '\n')) {
    // What rsync overwrites on a terminal stands behind the last carriage return.
    const auto line = trim(raw);
    const auto at = line.rfind('\r');
    const auto text = trim(at == std::string_view::npos ? line : line.substr(at + 1));
    if (!text.empty()) out.emplace_back(text);
  }
  return out;
}

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// The last `\d+%` of a line.
std::string percent_of_text(const std::string& line) {
  for (auto at = line.rfind('%'); at != std::string::npos && at > 0; at = line.rfind('%', at - 1)) {
    auto from = at;
    while (from > 0 && is_digit(line[from - 1])) --from;
    if (from < at) return line.substr(from, at - from + 1);
  }
  return "";
}

/// The last `\d+\.\w*\/s` of a line.
std::string rate_of_text(const std::string& line) {
  for (auto at = line.rfind("/s"); at != std::string::npos && at > 0; at = line.rfind("/s", at - 1)) {
    auto dot = at;
    while (dot > 0 && is_word(line[dot - 1])) --dot;
    if (dot == 0 || line[dot - 1] != '.') continue;
    auto from = --dot;
    while (from > 0 && is_digit(line[from - 1])) --from;
    if (from < dot) return line.substr(from, at - from + 2);
  }
  return "";
}

template <typename OfReport, typename OfText>
std::string last_of(const std::string& log, const OfReport& of_report, const OfText& of_text) {
  std::string found;
  for (const auto& line : lines_of(log)) {
    const auto report = parse_report(line);
    auto here = report ? of_report(*report) : of_text(line);
    if (!here.empty()) found = std::move(here);
  }
  return found;
}

std::string words_of(const std::string& line) {
  const auto report = parse_report(line);
  auto text = line;
  if (report) text = report->message.empty() ? report->phase : fmt::format("{}: {}", report->phase, report->message);
  if (text.size() <= kMaxLine) return text;
  auto most = kMaxLine;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return text.substr(0, most) + "…";
}

int number_of(const std::string& percent) {
  int value = 0;
  for (const char c : percent) {
    if (is_digit(c) && value <= 100) value = value * 10 + (c - '0');
  }
  return std::min(value, 100);
}

std::int64_t attempt_of(const Json& pod) {
  const auto text = kube::label(pod, api::labels::kAttempt);
  return text.empty() || text.size() > 9 || !std::ranges::all_of(text, is_digit) ? 0 : std::stoll(text);
}

const char* phase_of(const PodView& pod) {
  switch (pod.state) {
    case State::kRunning: return "Running";
    case State::kSucceeded: return "Succeeded";
    case State::kFailed: return "Failed";
    case State::kPending: return "Pending";
    case State::kAbsent: return "";
  }
  return "";
}

/// The way that a sender's last lines name, into a status of it.
void write_way(const std::string& log, Json& status) {
  for (const auto& line : lines_of(log)) {
    const auto report = parse_report(line);
    if (!report || report->way.empty()) continue;
    status["way"] = report->way;
    status.erase("failedWays");
    if (!report->failed_ways.empty()) status["failedWays"] = report->failed_ways;
  }
}

/// What is said of one attempt; the same keys at the top of the status and in its history.
Json attempt_status(const Json& pod, const PodView& view, const std::string& log, const std::string& percent_before,
                    Time now) {
  Json out = {{"podName", kube::key_of(pod).name}, {"phase", phase_of(view)}};
  if (view.created) out["creationTimestamp"] = rfc3339(*view.created);
  if (view.exit_code) out["exitCode"] = *view.exit_code;
  auto elapsed = elapsed_of(view, now);
  if (elapsed.empty() && view.created) elapsed = go_seconds(std::max<Duration>(now - *view.created, Duration::zero()));
  out["containerElapsedTime"] = elapsed;
  auto percent = std::max(number_of(percent_before), number_of(percent_in(log)));
  if (view.report && view.report->percent) percent = std::max(percent, *view.report->percent);
  if (view.state == State::kSucceeded) percent = 100;
  if (percent > 0 || view.state == State::kRunning) out["lastObservedProgressPercent"] = fmt::format("{}%", percent);
  if (auto rate = rate_in(log); !rate.empty()) out["lastObservedTransferRate"] = std::move(rate);
  write_way(log, out);
  auto words = tail_of(log);
  if (view.ended() && words.empty())
    words = view.report ? fmt::format("{}: {}", view.report->phase, view.report->message) : view.trouble;
  if (view.state == State::kPending) words = view.trouble;
  if (!words.empty()) out["logMessage"] = std::move(words);
  return out;
}

/// The latest that is known of an attempt whose last lines do not tell it.
void keep_what_was_said(const Json& before, Json& attempt) {
  const auto keep = [&](const char* key) {
    if (const auto* value = member(before, key)) attempt[key] = *value;
  };
  if (!attempt.contains("lastObservedTransferRate")) keep("lastObservedTransferRate");
  if (attempt.contains("way")) return;
  keep("way");
  keep("failedWays");
}

Duration elapsed_in(const Json& status) {
  return parse_go_duration(string_at(status, "containerElapsedTime")).value_or(Duration::zero());
}

}  // namespace

void write_lists(const Copying& c, const std::vector<Operation>& operations, const std::vector<Seen>& seen,
                 const std::map<std::string, Json>& progresses, Json& status) {
  for (const auto* list :
       {"runningPods", "successfulPods", "failedPods", "pendingPods", "unknownPods", "pendingSinceTimeLimitPods"})
    status.erase(list);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const auto& claim = c.self.claims[i];
    const auto at = progresses.find(progress_name(c, claim));
    const auto* progress = at == progresses.end() ? nullptr : &at->second;
    auto entry = entry_of(c, claim, operations[i], progress, seen[i].sender);
    if (is_late(operations[i], seen[i].sender, c.clock->now())) status["pendingSinceTimeLimitPods"].push_back(entry);
    status[list_of(operations[i], seen[i].sender)].push_back(std::move(entry));
  }
}

std::vector<std::string> late_senders(const std::vector<Operation>& operations, const std::vector<Seen>& seen,
                                      Time now) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (is_late(operations[i], seen[i].sender, now))
      out.push_back(fmt::format("{} ({})", seen[i].sender.name, seen[i].sender.trouble));
  }
  return out;
}

std::string percent_in(const std::string& log) {
  return last_of(
      log, [](const Report& report) { return report.percent ? fmt::format("{}%", *report.percent) : std::string(); },
      percent_of_text);
}

std::string rate_in(const std::string& log) {
  return last_of(log, [](const Report& report) { return report.rate; }, rate_of_text);
}

std::string tail_of(const std::string& log) {
  std::vector<std::string> words;
  for (const auto& line : lines_of(log)) {
    auto text = words_of(line);
    if (words.empty() || words.back() != text) words.push_back(std::move(text));
  }
  if (words.size() > kTail) words.erase(words.begin(), words.end() - kTail);
  return join(words, "\n");
}

const Json* newest(const std::vector<Json>& pods) {
  const auto later = [](const Json& a, const Json& b) {
    return std::tuple(attempt_of(a), string_at(a, "metadata.creationTimestamp"), string_at(a, "metadata.name")) <
           std::tuple(attempt_of(b), string_at(b, "metadata.creationTimestamp"), string_at(b, "metadata.name"));
  };
  const auto at = std::ranges::max_element(pods, later);
  return at == pods.end() ? nullptr : &*at;
}

Json progress_status(const Json& before, const std::vector<Json>& pods, const std::string& log, Time now) {
  auto status = before.is_object() ? before : Json::object();
  const auto* pod = newest(pods);
  if (pod == nullptr) return status;
  const auto name = kube::key_of(*pod).name;
  const auto view = view_of(pod);
  const bool same = string_at(status, "podName") == name;
  auto current = attempt_status(*pod, view, log, same ? string_at(status, "lastObservedProgressPercent") : "", now);
  if (same) keep_what_was_said(status, current);
  for (const auto* key :
       {"podName", "phase", "exitCode", "containerElapsedTime", "logMessage", "lastObservedProgressPercent",
        "lastObservedTransferRate", "creationTimestamp", "way", "failedWays"})
    status.erase(key);
  for (const auto& [key, value] : current.items()) status[key] = value;

  Json history = Json::array();
  Duration total = elapsed_in(current);
  for (const auto& known : array_at(status, "rsyncPodStatuses")) {
    if (string_at(known, "podName") == name) continue;
    total += elapsed_in(known);
    history.push_back(known);
  }
  if (view.ended()) history.push_back(current);
  while (history.size() > kHistory) history.erase(history.begin());
  if (!history.empty()) status["rsyncPodStatuses"] = std::move(history);
  status["rsyncElapsedTime"] = go_seconds(total);
  const auto percent = string_at(status, "lastObservedProgressPercent");
  status["totalProgressPercentage"] = percent.empty() ? "0%" : percent;
  return status;
}

}  // namespace mtc::migrate::volumes
