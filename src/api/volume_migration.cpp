#include "api/volume_migration.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"

namespace mtc::api {
namespace {

constexpr std::size_t kMaxClaims = 20000;  ///< far more than an object of an API server can hold
constexpr std::size_t kMaxText = 253;
constexpr std::size_t kMaxModes = 16;
constexpr std::int64_t kMaxAttempts = 1000;

Ref self_of(const Json& object) {
  return {string_at(object, "metadata.namespace"), string_at(object, "metadata.name")};
}

std::string label_of(const Json& object, const char* key) {
  const auto* value = member(object_at(object, "metadata.labels"), key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

std::string or_else(std::string value, const std::string& otherwise) { return value.empty() ? otherwise : value; }

ClaimCopy parse_claim_copy(const Json& entry, const std::string& where) {
  const auto refuse = [&](std::string_view field, std::string_view what) {
    throw Error(Code::kInvalid, fmt::format("{}.{} {}: correct it", where, field, what));
  };
  ClaimCopy out;
  out.source = {string_at(entry, "namespace"), string_at(entry, "name")};
  out.target = {or_else(string_at(entry, "targetNamespace"), out.source.ns),
                or_else(string_at(entry, "targetName"), out.source.name)};
  if (!is_dns_label(out.source.ns)) refuse("namespace", "is no name");
  if (!is_dns_subdomain(out.source.name)) refuse("name", "is no name");
  if (!is_dns_label(out.target.ns)) refuse("targetNamespace", "is no name");
  if (!is_dns_subdomain(out.target.name)) refuse("targetName", "is no name");
  out.storage_class = string_at(entry, "targetStorageClass");
  if (out.storage_class.size() > kMaxText) refuse("targetStorageClass", "is too long");
  out.access_modes = strings_at(entry, "targetAccessModes");
  const auto is_long = [](const std::string& mode) { return mode.size() > kMaxText; };
  if (out.access_modes.size() > kMaxModes || std::ranges::any_of(out.access_modes, is_long))
    refuse("targetAccessModes", "is too long");
  out.capacity = string_at(entry, "targetCapacity");
  if (out.capacity.size() > kMaxText) refuse("targetCapacity", "is too long");
  out.verify = bool_at(entry, "verify");
  return out;
}

}  // namespace

CopyType parse_copy_type(std::string_view text) {
  if (text == "CutOver") return CopyType::kCutOver;
  return text == "Rollback" ? CopyType::kRollback : CopyType::kStage;
}

std::string_view to_string(CopyType type) {
  switch (type) {
    case CopyType::kStage: return "Stage";
    case CopyType::kCutOver: return "CutOver";
    case CopyType::kRollback: return "Rollback";
  }
  return "Stage";
}

DirectVolumeMigration DirectVolumeMigration::parse(const Json& object) {
  const auto& spec = object_at(object, "spec");
  DirectVolumeMigration out;
  out.self = self_of(object);
  out.uid = string_at(object, "metadata.uid");
  out.source = parse_ref(spec, "srcMigClusterRef");
  out.destination = parse_ref(spec, "destMigClusterRef");
  out.back_off_limit = std::clamp<std::int64_t>(int_at(spec, "backOffLimit").value_or(0), 0, kMaxAttempts);
  out.delete_progress = bool_at(spec, "deleteProgressReportingCRs");
  out.type = parse_copy_type(string_at(spec, "migrationType"));
  out.migration_uid = label_of(object, labels::kMigratedByMigration);
  out.plan_uid = label_of(object, labels::kMigratedByPlan);
  out.phase = string_at(object, "status.phase");
  out.itinerary = string_at(object, "status.itinerary");
  out.errors = strings_at(object, "status.errors");
  out.deleting = !string_at(object, "metadata.deletionTimestamp").empty();

  const auto* given = find(spec, "persistentVolumeClaims");
  out.has_claims = given != nullptr && given->is_array();
  const auto& entries = array_at(spec, "persistentVolumeClaims");
  const auto name = std::string(kDirectVolumeMigration) + " " + out.self.str();
  if (entries.size() > kMaxClaims)
    throw Error(Code::kInvalid,
                fmt::format("{}: spec.persistentVolumeClaims has more than {} entries", name, kMaxClaims));
  std::set<Ref> targets;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto where = fmt::format("{}: spec.persistentVolumeClaims[{}]", name, i);
    out.claims.push_back(parse_claim_copy(entries[i], where));
    if (!targets.insert(out.claims.back().target).second) {
      throw Error(Code::kInvalid, fmt::format("{}: {} is the target of an earlier entry, too: give one of them another "
                                              "targetName",
                                              where, out.claims.back().target.str()));
    }
  }
  return out;
}

VolumeProgress VolumeProgress::parse(const Json& object) {
  const auto& spec = object_at(object, "spec");
  VolumeProgress out;
  out.self = self_of(object);
  out.uid = string_at(object, "metadata.uid");
  out.cluster = parse_ref(spec, "clusterRef");
  out.pod = parse_ref(spec, "podRef");
  out.pod_namespace = string_at(spec, "podNamespace");
  for (const auto& [key, value] : object_at(spec, "podSelector").items()) {
    if (value.is_string()) out.selector[key] = value.get<std::string>();
  }
  return out;
}

}  // namespace mtc::api
