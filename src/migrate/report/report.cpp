#include "migrate/report/report.hpp"

#include "json/json.hpp"

namespace mtc::migrate::report {
namespace {

/// "Succeeded", "SucceededWithWarnings", "Failed" or "Canceled".
std::string outcome_of(const api::Conditions& conditions) {
  for (const auto* type : {"Failed", "Canceled", "SucceededWithWarnings"}) {
    if (conditions.has(type)) return type;
  }
  return "Succeeded";
}

Json steps_of(const Json& status) {
  Json steps = Json::array();
  for (const auto& step : array_at(status, "pipeline")) {
    if (bool_at(step, "skipped")) continue;
    Json entry = {{"name", string_at(step, "name")},
                  {"started", string_at(step, "started")},
                  {"completed", string_at(step, "completed")}};
    if (bool_at(step, "failed")) entry["failed"] = true;
    steps.push_back(std::move(entry));
  }
  return steps;
}

/// Objects that arrived as they were are named by kind, the others each with what happened to it.
Json objects_of(const Json& items) {
  Json counts = Json::object(), identical = Json::object(), others = Json::array();
  for (const auto& item : items) {
    const auto fate = string_at(item, "fate");
    counts[fate] = counts.value(fate, 0) + 1;
    if (fate != "restored") {
      others.push_back(item);
      continue;
    }
    const auto ns = string_at(item, "namespace");
    identical[string_at(item, "resource")].push_back((ns.empty() ? "" : ns + "/") + string_at(item, "name"));
  }
  return {{"counts", counts}, {"identical", identical}, {"others", others}};
}

Json volumes_of(const std::vector<VolumeResult>& volumes) {
  Json out = Json::array();
  for (const auto& volume : volumes) {
    Json entry = volume.facts.is_object() ? volume.facts : Json::object();
    entry["claim"] = volume.source.str();
    entry["target"] = volume.target.str();
    entry["copied"] = volume.succeeded;
    out.push_back(std::move(entry));
  }
  return out;
}

Json warnings_of(const api::Conditions& conditions) {
  Json out = Json::array();
  for (const auto& condition : conditions.end()) {
    if (string_at(condition, "category") == api::to_string(api::Category::kWarn))
      out.push_back({{"type", string_at(condition, "type")}, {"message", string_at(condition, "message")}});
  }
  return out;
}

}  // namespace

Json make(const Migration& m, const Json& status, const Json& items, const std::vector<VolumeResult>& volumes) {
  const auto cluster = [](const api::Ref& ref, const kube::ClientPtr& client) {
    return Json{{"migCluster", ref.str()}, {"url", client->url()}};
  };
  Json report = {{"version", 1},
                 {"program", "mtc " MTC_VERSION},
                 {"migration", {{"name", m.self.self.str()}, {"uid", m.self.uid}}},
                 {"plan", {{"name", m.plan.self.str()}, {"uid", m.plan.uid}}},
                 {"source", cluster(m.plan.source, m.source)},
                 {"destination", cluster(m.plan.destination, m.destination)},
                 {"itinerary", string_at(status, "itinerary")},
                 {"outcome", outcome_of(*m.conditions)},
                 {"started", string_at(status, "startTimestamp")},
                 {"ended", rfc3339(m.clock->now())},
                 {"steps", steps_of(status)},
                 {"volumes", volumes_of(volumes)},
                 {"warnings", warnings_of(*m.conditions)},
                 {"errors", array_at(status, "errors")}};
  const auto& measured = object_at(status, "measured");
  for (const auto* key : {"downtimeSeconds", "forecastSeconds"}) {
    if (const auto seconds = int_at(measured, key)) report[key] = *seconds;
  }
  if (items.is_array()) report["objects"] = objects_of(items);
  return report;
}

}  // namespace mtc::migrate::report
