#include "sandbox/ownership.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "sandbox/apply.hpp"
#include "sandbox/failure.hpp"

namespace mtc::sandbox {
namespace {

constexpr auto kApply = "Apply";
constexpr auto kUpdate = "Update";

/// Fields that nobody owns: the server's own.
FieldSet server_fields() {
  static const auto fields = FieldSet::from_json(parse_json(
      R"({"f:apiVersion":{},"f:kind":{},"f:metadata":{".":{},"f:name":{},"f:namespace":{},"f:uid":{},"f:generation":{},
      "f:creationTimestamp":{},"f:deletionTimestamp":{},"f:deletionGracePeriodSeconds":{},"f:resourceVersion":{},
      "f:selfLink":{},"f:managedFields":{}}})"));
  return fields;
}

}  // namespace

Ownership::Ownership(const Resource& resource, const Json& object) : resource_(resource) {
  for (const auto& entry : array_at(object, "metadata.managedFields")) {
    if (string_at(entry, "operation").empty()) continue;  // [{}] is how a client resets them
    managers_.push_back({string_at(entry, "manager"), string_at(entry, "operation"), string_at(entry, "apiVersion"),
                         string_at(entry, "subresource"), string_at(entry, "time"),
                         FieldSet::from_json(object_at(entry, "fieldsV1"))});
  }
}

Ownership::Manager& Ownership::manager(const Writer& writer, const std::string& operation) {
  const auto version = resource_.type.api_version();
  const auto at = std::ranges::find_if(managers_, [&](const Manager& one) {
    return one.name == writer.manager && one.operation == operation && one.subresource == writer.subresource &&
           one.api_version == version;
  });
  if (at != managers_.end()) return *at;
  return managers_.emplace_back(Manager{writer.manager, operation, version, writer.subresource, "", {}});
}

void Ownership::drop(const FieldSet& fields, const Manager* except) {
  for (auto& one : managers_) {
    if (&one != except) one.fields = one.fields.without(fields);
  }
}

void Ownership::note_update(const Writer& writer, const Json& before, const Json& after, Time now) {
  auto changes = changes_between(FieldType(resource_), before, after);
  auto& mine = manager(writer, kUpdate);
  drop(changes.set.united(changes.removed), &mine);
  auto fields = mine.fields.united(changes.set).without(changes.removed).without(server_fields());
  if (fields != mine.fields) {
    mine.fields = std::move(fields);
    mine.time = rfc3339(now);
  }
}

void Ownership::refuse_conflicts(const FieldSet& set, const Manager& writer) const {
  Json causes = Json::array();
  std::map<std::string, std::vector<std::string>> conflicts;
  for (const auto& one : managers_) {
    if (&one == &writer) continue;
    auto who = fmt::format("\"{}\"", one.name);
    if (!one.subresource.empty()) who += fmt::format(" with subresource \"{}\"", one.subresource);
    if (one.operation == kUpdate) who += fmt::format(" using {}", one.api_version);
    for (const auto& path : one.fields.common(set).paths()) {
      causes.push_back({{"reason", "FieldManagerConflict"}, {"message", "conflict with " + who}, {"field", path}});
      conflicts[who].push_back(path);
    }
  }
  if (causes.empty()) return;
  std::string text;
  if (causes.size() == 1) {
    text = fmt::format("Apply failed with 1 conflict: {}: {}", string_at(causes[0], "message"),
                       string_at(causes[0], "field"));
  } else {
    std::vector<std::string> lines;
    for (const auto& [who, paths] : conflicts) {
      lines.push_back(fmt::format("conflicts with {}:", who));
      for (const auto& path : paths) lines.push_back("- " + path);
    }
    text = fmt::format("Apply failed with {} conflicts: {}", causes.size(), join(lines, "\n"));
  }
  throw Failure(409, "Conflict", text, Json{{"causes", causes}});
}

Json Ownership::apply(const Writer& writer, const Json& live, const Json& applied, Force force, Time now) {
  const FieldType type(resource_);
  if (managers_.empty() && !live.empty()) {
    // Fields of an object that has no owners yet are somebody's all the same.
    auto& before = manager({"before-first-apply", ""}, kUpdate);
    before.fields = fields_of(type, live).without(server_fields());
  }
  auto& mine = manager(writer, kApply);
  const auto last = mine.fields;
  const auto fields = fields_of(type, applied).without(server_fields());
  auto kept = fields.united(server_fields());
  for (const auto& one : managers_) {
    if (&one != &mine) kept = kept.united(one.fields);
  }
  auto out = merged(type, live, applied);
  remove_fields(type, out, last, kept);
  const auto changes = changes_between(type, live, out);
  if (force == Force::kNo) refuse_conflicts(changes.set, mine);
  drop(changes.set.united(changes.removed), &mine);
  if (fields != mine.fields) {
    mine.fields = fields;
    mine.time = rfc3339(now);
  }
  return out;
}

void Ownership::store(Json& object) const {
  auto managers = managers_;
  std::erase_if(managers, [](const Manager& one) { return one.fields.empty(); });
  // As a real server lists them: applied configurations first, then by time and name.
  std::ranges::sort(managers, {}, [](const Manager& one) {
    return std::tuple(one.operation != kApply, one.time, one.name, one.subresource);
  });
  auto& metadata = object["metadata"];
  metadata.erase("managedFields");
  for (const auto& one : managers) {
    Json entry = {{"manager", one.name},
                  {"operation", one.operation},
                  {"apiVersion", one.api_version},
                  {"fieldsType", "FieldsV1"},
                  {"fieldsV1", one.fields.to_json()}};
    if (!one.time.empty()) entry["time"] = one.time;
    if (!one.subresource.empty()) entry["subresource"] = one.subresource;
    metadata["managedFields"].push_back(std::move(entry));
  }
}

}  // namespace mtc::sandbox
