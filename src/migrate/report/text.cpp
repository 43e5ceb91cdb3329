#include <fmt/format.h>

#include "json/json.hpp"
#include "migrate/report/report.hpp"

namespace mtc::migrate::report {
namespace {

/// " (1m5s)"; "" if that is not known.
std::string took(const Json& from) {
  const auto started = parse_rfc3339(string_at(from, "started"));
  auto ended = parse_rfc3339(string_at(from, "ended"));
  if (!ended) ended = parse_rfc3339(string_at(from, "completed"));
  return started && ended ? fmt::format(" ({})", go_seconds(*ended - *started)) : "";
}

/// How long the application was down, beside what was forecast.
std::string downtime_text(const Json& report) {
  const auto down = int_at(report, "downtimeSeconds");
  if (!down) return "";
  const auto said = int_at(report, "forecastSeconds");
  return fmt::format("  downtime     {}{}\n", go_seconds(std::chrono::seconds(*down)),
                     said ? fmt::format(", forecast {}", go_seconds(std::chrono::seconds(*said))) : "");
}

std::string objects_text(const Json& report) {
  const auto& objects = object_at(report, "objects");
  if (objects.empty()) return "";
  std::string out = "\nObjects\n";
  for (const auto& [fate, count] : object_at(objects, "counts").items())
    out += fmt::format("  {:>6} {}\n", count.get<std::int64_t>(), fate == "restored" ? "restored unchanged" : fate);
  for (const auto& item : array_at(objects, "others")) {
    const auto ns = string_at(item, "namespace");
    out += fmt::format("  {} {} {}{}{}: {}\n", string_at(item, "fate"), string_at(item, "resource"), ns,
                       ns.empty() ? "" : "/", string_at(item, "name"), string_at(item, "detail"));
  }
  return out;
}

std::string volume_text(const Json& volume) {
  const auto way = fmt::format("  {} to {}: ", string_at(volume, "claim"), string_at(volume, "target"));
  if (volume.contains("moved")) {
    return fmt::format("{}PersistentVolume {} {}moved\n", way, string_at(volume, "volume"),
                       bool_at(volume, "moved") ? "" : "not ");
  }
  auto out = way + (bool_at(volume, "copied") ? "copied" : "not copied");
  const auto bytes = int_at(volume, "bytes").value_or(0);
  if (const auto files = int_at(volume, "files")) out += fmt::format(", {} files, {} bytes", *files, bytes);
  if (bool_at(volume, "device")) out += fmt::format(", a device of {} bytes", bytes);
  if (!bool_at(volume, "copied")) return out + "\n";
  if (!bool_at(volume, "verified")) return out + ", not read back\n";
  const auto root = string_at(volume, "root");
  return out + ", read back and equal" + (root.empty() ? "" : ", root " + root) + "\n";
}

std::string list_text(std::string_view title, const Json& list) {
  if (list.empty()) return "";
  auto out = fmt::format("\n{}\n", title);
  for (const auto& entry : list) {
    out += entry.is_string() ? fmt::format("  {}\n", entry.get<std::string>())
                             : fmt::format("  {}: {}\n", string_at(entry, "type"), string_at(entry, "message"));
  }
  return out;
}

}  // namespace

std::string text(const Json& report) {
  auto out = fmt::format("MigMigration {}: {}{}\n", string_at(report, "migration.name"), string_at(report, "outcome"),
                         took(report));
  out += fmt::format("  plan         {}\n", string_at(report, "plan.name"));
  for (const auto* side : {"source", "destination"}) {
    const auto& cluster = object_at(report, side);
    out += fmt::format("  {:<12} {} at {}\n", side, string_at(cluster, "migCluster"), string_at(cluster, "url"));
  }
  out += fmt::format("  started      {}\n  ended        {}\n{}\nSteps\n", string_at(report, "started"),
                     string_at(report, "ended"), downtime_text(report));
  for (const auto& step : array_at(report, "steps"))
    out += fmt::format("  {}{}{}\n", string_at(step, "name"), took(step), bool_at(step, "failed") ? " failed" : "");
  out += objects_text(report);
  if (const auto& volumes = array_at(report, "volumes"); !volumes.empty()) {
    out += "\nVolumes\n";
    for (const auto& volume : volumes) out += volume_text(volume);
  }
  return out + list_text("Warnings", array_at(report, "warnings")) + list_text("Errors", array_at(report, "errors"));
}

}  // namespace mtc::migrate::report
