#include "sandbox/present.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "json/jsonpath.hpp"
#include "sandbox/columns.hpp"

namespace mtc::sandbox {
namespace {

/// "57s", "3m20s", "2h", "5d", as kubectl counts (k8s.io/apimachinery HumanDuration).
std::string age_since(const std::string& timestamp, Time now) {
  const auto then = parse_rfc3339(timestamp);
  if (!then) return "<unknown>";
  const auto seconds = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(now - *then).count());
  const auto minutes = seconds / 60, hours = seconds / 3600, days = hours / 24;
  const auto with_rest = [](std::int64_t whole, const char* unit, std::int64_t rest, const char* rest_unit) {
    return rest == 0 ? fmt::format("{}{}", whole, unit) : fmt::format("{}{}{}{}", whole, unit, rest, rest_unit);
  };
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (minutes < 10) return with_rest(minutes, "m", seconds % 60, "s");
  if (hours < 3) return fmt::format("{}m", minutes);
  if (hours < 8) return with_rest(hours, "h", minutes % 60, "m");
  if (hours < 48) return fmt::format("{}h", hours);
  if (days < 8) return with_rest(days, "d", hours % 24, "h");
  return fmt::format("{}d", days);
}

Json cell(const Column& column, const Json& object, Time now) {
  if (column.show != nullptr) return column.show(object);
  const auto found = JsonPath(column.json_path).find(object);
  if (found.empty()) return nullptr;
  const auto& value = *found.front();
  if (column.type == "date") return age_since(value.is_string() ? value.get<std::string>() : "", now);
  if (column.type != "string" || value.is_string()) return value;
  return dump(value);
}

Json column_definition(const std::string& name, const std::string& type, const char* format, int priority) {
  return {{"name", name}, {"type", type}, {"format", format}, {"description", name}, {"priority", priority}};
}

Json metadata_alone(const Json& object) {
  return {
      {"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", object_at(object, "metadata")}};
}

/// Kinds that name columns of their own say themselves whether age is one.
bool shows_age(const Resource& resource) {
  if (resource.type.kind == "CustomResourceDefinition") return false;
  return !resource.custom || resource.columns.empty();
}

}  // namespace

Presentation::Presentation(ResourcePtr resource, const http::ServerRequest& request, Time now)
    : resource_(std::move(resource)), included_(request.param("includeObject")), now_(now) {
  const auto accept = request.headers.get("Accept");
  if (accept.contains("as=Table")) form_ = Form::kTable;
  if (accept.contains("as=PartialObjectMetadata")) form_ = Form::kMetadata;
}

Json Presentation::object(const Json& object) const {
  if (form_ == Form::kWhole) return object;
  if (form_ == Form::kMetadata) return metadata_alone(object);
  const auto version = string_at(object, "metadata.resourceVersion");
  return table({std::make_shared<const Json>(object)}, {{"resourceVersion", version}});
}

Json Presentation::list(const std::vector<ObjectPtr>& objects, Json metadata) const {
  if (form_ == Form::kTable) return table(objects, std::move(metadata));
  Json items = Json::array();
  for (const auto& object : objects) items.push_back(form_ == Form::kMetadata ? metadata_alone(*object) : *object);
  const bool whole = form_ == Form::kWhole;
  return {{"kind", whole ? resource_->list_kind : "PartialObjectMetadataList"},
          {"apiVersion", whole ? resource_->type.api_version() : "meta.k8s.io/v1"},
          {"metadata", std::move(metadata)},
          {"items", std::move(items)}};
}

Json Presentation::table(const std::vector<ObjectPtr>& objects, Json metadata) const {
  const auto for_each_column = [&](auto on_column, auto on_age) {
    bool age_is_due = shows_age(*resource_);
    for (const auto& column : resource_->columns) {
      // Age comes last of what is always shown, and before what only -o wide shows.
      if (age_is_due && column.priority > 0) {
        on_age();
        age_is_due = false;
      }
      on_column(column);
    }
    if (age_is_due) on_age();
  };
  Json columns = Json::array({column_definition("Name", "string", "name", 0)});
  for_each_column(
      [&](const Column& column) {
        columns.push_back(column_definition(column.name, column.type, "", column.priority));
      },
      [&] { columns.push_back(column_definition("Age", "string", "", 0)); });
  Json rows = Json::array();
  for (const auto& object : objects) {
    Json cells = Json::array({shown_name(*resource_, *object)});
    const auto age = [&] { return age_since(string_at(*object, "metadata.creationTimestamp"), now_); };
    for_each_column([&](const Column& column) { cells.push_back(cell(column, *object, now_)); },
                    [&] { cells.push_back(age()); });
    Json row = {{"cells", std::move(cells)}};
    if (included_ != "None") row["object"] = included_ == "Object" ? *object : metadata_alone(*object);
    rows.push_back(std::move(row));
  }
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", std::move(metadata)},
          {"columnDefinitions", std::move(columns)},
          {"rows", std::move(rows)}};
}

}  // namespace mtc::sandbox
