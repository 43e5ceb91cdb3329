#include "sandbox/pod_status.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"

namespace mtc::sandbox {
namespace {

struct Condition {
  std::string type;
  bool holds = true;
  std::string reason{};
  std::string message{};
};

Json conditions(const Json& pod, const std::vector<Condition>& wanted, Time now) {
  Json out = Json::array();
  for (const auto& [type, holds, reason, message] : wanted) {
    Json condition = {{"type", type}, {"status", holds ? "True" : "False"}, {"lastTransitionTime", rfc3339(now)}};
    if (!reason.empty()) condition["reason"] = reason;
    if (!message.empty()) condition["message"] = message;
    for (const auto& before : array_at(pod, "status.conditions")) {
      if (string_at(before, "type") == type && string_at(before, "status") == string_at(condition, "status"))
        condition["lastTransitionTime"] = string_at(before, "lastTransitionTime");
    }
    out.push_back(std::move(condition));
  }
  return out;
}

/// Those of a pod that is on the node, whose containers are ready or not.
Json conditions_on_node(const Json& pod, bool ready, const std::string& reason, Time now) {
  std::vector<std::string> names;
  if (reason == "ContainersNotReady") {
    for (const auto& container : array_at(pod, "spec.containers")) names.push_back(string_at(container, "name"));
  }
  const auto message = names.empty() ? "" : fmt::format("containers with unready status: [{}]", join(names, " "));
  return conditions(pod,
                    {{"Initialized"},
                     {"Ready", ready, reason, message},
                     {"ContainersReady", ready, reason, message},
                     {"PodScheduled"}},
                    now);
}

Json container_statuses(const Json& pod, const Json& state, bool ready, bool started) {
  Json out = Json::array();
  for (const auto& container : array_at(pod, "spec.containers")) {
    out.push_back({{"name", string_at(container, "name")},
                   {"image", string_at(container, "image")},
                   {"imageID", ""},
                   {"ready", ready},
                   {"started", started},
                   {"restartCount", 0},
                   {"state", state},
                   {"lastState", Json::object()}});
  }
  return out;
}

std::string start_time(const Json& pod, Time now) {
  auto known = string_at(pod, "status.startTime");
  return known.empty() ? rfc3339(now) : known;
}

/// When its first container began to run.
std::string started_at(const Json& pod, Time now) {
  const auto& statuses = array_at(pod, "status.containerStatuses");
  auto known = statuses.empty() ? "" : string_at(statuses[0], "state.running.startedAt");
  return known.empty() ? rfc3339(now) : known;
}

}  // namespace

Json unscheduled_status(const Json& pod, const std::string& why, Time now) {
  return {{"phase", "Pending"},
          {"qosClass", "BestEffort"},
          {"conditions", conditions(pod, {{"PodScheduled", false, "Unschedulable", why}}, now)}};
}

Json waiting_status(const Json& pod, const std::string& reason, const std::string& message, Time now) {
  Json waiting = {{"reason", reason}};
  if (!message.empty()) waiting["message"] = message;
  return {{"phase", "Pending"},
          {"qosClass", "BestEffort"},
          {"startTime", start_time(pod, now)},
          {"containerStatuses", container_statuses(pod, {{"waiting", waiting}}, false, false)},
          {"conditions", conditions_on_node(pod, false, "ContainersNotReady", now)}};
}

Json running_status(const Json& pod, const PodAddress& address, Time now) {
  return {{"phase", "Running"},
          {"qosClass", "BestEffort"},
          {"startTime", start_time(pod, now)},
          {"hostIP", address.host_ip},
          {"hostIPs", Json::array({{{"ip", address.host_ip}}})},
          {"podIP", address.pod_ip},
          {"podIPs", Json::array({{{"ip", address.pod_ip}}})},
          {"containerStatuses", container_statuses(pod, {{"running", {{"startedAt", rfc3339(now)}}}}, true, true)},
          {"conditions", conditions_on_node(pod, true, "", now)}};
}

Json ended_status(const Json& pod, const PodEnd& end, Time now) {
  const bool succeeded = end.exit_code == 0;
  const auto by_code = succeeded ? "Completed" : "Error";
  Json terminated = {{"exitCode", end.exit_code},
                     {"reason", end.reason.empty() ? by_code : end.reason},
                     {"startedAt", started_at(pod, now)},
                     {"finishedAt", rfc3339(now)}};
  if (end.signal != 0) terminated["signal"] = end.signal;
  if (!end.message.empty()) terminated["message"] = end.message;
  auto status = object_at(pod, "status");
  status["phase"] = succeeded ? "Succeeded" : "Failed";
  status["startTime"] = start_time(pod, now);
  status["containerStatuses"] = container_statuses(pod, {{"terminated", terminated}}, false, false);
  status["conditions"] = conditions_on_node(pod, false, succeeded ? "PodCompleted" : "PodFailed", now);
  return status;
}

}  // namespace mtc::sandbox
