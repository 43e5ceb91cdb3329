#include "sandbox/table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "json/jsonpath.hpp"

namespace mtc::sandbox {
namespace {

/// "57s", "3m", "2h", "5d", as kubectl counts.
std::string age(const Json& object, Time now) {
  const auto made = parse_rfc3339(string_at(object, "metadata.creationTimestamp"));
  if (!made) return "<unknown>";
  const auto seconds = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(now - *made).count());
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 7200) return fmt::format("{}m", seconds / 60);
  if (seconds < 172'800) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86'400);
}

Json cell(const Column& column, const Json& object) {
  const auto found = JsonPath(column.json_path).find(object);
  if (found.empty()) return column.type == "integer" ? Json(0) : Json("");
  if (column.type != "string" || found.front()->is_string()) return *found.front();
  return dump(*found.front());
}

}  // namespace

Json table_of(const Resource& resource, const std::vector<Json>& objects, const std::string& resource_version,
              Time now) {
  const auto definition = [](const std::string& name, const std::string& type, const char* format) {
    return Json{{"name", name}, {"type", type}, {"format", format}, {"description", name}, {"priority", 0}};
  };
  Json columns = Json::array({definition("Name", "string", "name")});
  for (const auto& column : resource.columns) columns.push_back(definition(column.name, column.type, ""));
  columns.push_back(definition("Age", "string", ""));
  Json rows = Json::array();
  for (const auto& object : objects) {
    Json cells = Json::array({string_at(object, "metadata.name")});
    for (const auto& column : resource.columns) cells.push_back(cell(column, object));
    cells.push_back(age(object, now));
    rows.push_back({{"cells", cells},
                    {"object",
                     {{"kind", "PartialObjectMetadata"},
                      {"apiVersion", "meta.k8s.io/v1"},
                      {"metadata", object_at(object, "metadata")}}}});
  }
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", {{"resourceVersion", resource_version}}},
          {"columnDefinitions", columns},
          {"rows", rows}};
}

}  // namespace mtc::sandbox
