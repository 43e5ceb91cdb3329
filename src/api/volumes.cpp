#include "api/volumes.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace mtc::api {
namespace {

constexpr std::size_t kMaxVolumes = 20000;  ///< far more than an object of an API server can hold
constexpr std::size_t kMaxText = 253;       ///< of a name, a class or a quantity
constexpr std::size_t kMaxModes = 16;

constexpr std::array kActions = {VolumeAction::kSkip, VolumeAction::kCopy, VolumeAction::kMove};
constexpr std::array kMethods = {CopyMethod::kFilesystem, CopyMethod::kBlock, CopyMethod::kSnapshot};
constexpr std::array kModes = {VolumeMode::kFilesystem, VolumeMode::kBlock};

template <typename Enum, std::size_t n>
Enum word_of(const std::array<Enum, n>& known, std::string_view text, Enum absent) {
  if (text.empty()) return absent;
  const auto at = std::ranges::find(known, text, [](Enum each) { return to_string(each); });
  return at == known.end() ? Enum::kUnknown : *at;
}

/// One entry being read; its errors say where it stands.
class Reader {
 public:
  Reader(const MigPlan& plan, std::size_t index, const Json& entry) : plan_(plan), index_(index), entry_(entry) {}

  std::string text(std::string_view path) const {
    auto value = string_at(entry_, path);
    if (value.size() > kMaxText) refuse(path, "is longer than {} characters", kMaxText);
    return value;
  }

  /// A quantity may be written as a number.
  std::string quantity(std::string_view path) const {
    const auto number = int_at(entry_, path);
    auto value = number ? std::to_string(*number) : text(path);
    return value.empty() ? "0" : value;
  }

  std::string name(std::string_view path, std::string value) const {
    if (!is_dns_subdomain(value)) refuse(path, "is no name: `{}`", value.substr(0, kMaxText));
    return value;
  }

  std::vector<std::string> modes(std::string_view path) const {
    auto values = strings_at(entry_, path);
    if (values.size() > kMaxModes) refuse(path, "has more than {} entries", kMaxModes);
    for (const auto& value : values) {
      if (value.size() > kMaxText) refuse(path, "has an entry of more than {} characters", kMaxText);
    }
    return values;
  }

 private:
  template <typename... Args>
  [[noreturn]] void refuse(std::string_view path, fmt::format_string<Args...> what, Args&&... args) const {
    throw Error(Code::kInvalid,
                fmt::format("MigPlan {}: spec.persistentVolumes[{}].{} {}: correct it, or remove the entry and set "
                            "`refresh`",
                            plan_.self.str(), index_, path, fmt::format(what, std::forward<Args>(args)...)));
  }

  const MigPlan& plan_;
  std::size_t index_;
  const Json& entry_;
};

PlanVolume parse_volume(const Reader& reader, const Json& entry, std::string ns, std::string target_ns) {
  const auto mapping = parse_claim(string_at(entry, "pvc.name"));
  PlanVolume out;
  out.pv = reader.name("name", string_at(entry, "name"));
  out.claim = {std::move(ns), reader.name("pvc.name", mapping.source)};
  out.target = {reader.name("pvc.namespace", std::move(target_ns)), reader.name("pvc.name", mapping.target)};
  out.capacity = reader.quantity("capacity");
  out.proposed_capacity = reader.quantity("proposedCapacity");
  out.capacity_confirmed = bool_at(entry, "capacityConfirmed");
  out.source_class = reader.text("storageClass");
  out.storage_class = reader.text("selection.storageClass");
  out.access_mode = reader.text("selection.accessMode");
  out.claim_modes = reader.modes("pvc.accessModes");
  out.mode = word_of(kModes, reader.text("pvc.volumeMode"), VolumeMode::kFilesystem);
  out.action = word_of(kActions, reader.text("selection.action"), VolumeAction::kUnset);
  out.method = word_of(kMethods, reader.text("selection.copyMethod"), CopyMethod::kUnset);
  out.verify = bool_at(entry, "selection.verify");
  return out;
}

}  // namespace

std::string_view to_string(VolumeAction action) {
  switch (action) {
    case VolumeAction::kUnset: return "";
    case VolumeAction::kUnknown: return "unknown";
    case VolumeAction::kSkip: return "skip";
    case VolumeAction::kCopy: return "copy";
    case VolumeAction::kMove: return "move";
  }
  return "unknown";
}

std::string_view to_string(CopyMethod method) {
  switch (method) {
    case CopyMethod::kUnset: return "";
    case CopyMethod::kUnknown: return "unknown";
    case CopyMethod::kFilesystem: return "filesystem";
    case CopyMethod::kBlock: return "block";
    case CopyMethod::kSnapshot: return "snapshot";
  }
  return "unknown";
}

std::string_view to_string(VolumeMode mode) {
  switch (mode) {
    case VolumeMode::kUnknown: return "unknown";
    case VolumeMode::kFilesystem: return "Filesystem";
    case VolumeMode::kBlock: return "Block";
  }
  return "unknown";
}

ClaimMapping parse_claim(std::string_view entry) {
  const auto colon = entry.find(':');
  if (colon == std::string_view::npos) return {std::string(entry), std::string(entry)};
  return {std::string(entry.substr(0, colon)), std::string(entry.substr(colon + 1))};
}

std::vector<std::string> PlanVolume::access_modes() const {
  if (access_mode.empty() || access_mode == "auto") return claim_modes;
  return {access_mode};
}

bool PlanVolume::is_direct_copy() const {
  return action == VolumeAction::kCopy && (method == CopyMethod::kFilesystem || method == CopyMethod::kBlock);
}

bool PlanVolume::is_snapshot_copy() const { return action == VolumeAction::kCopy && method == CopyMethod::kSnapshot; }

std::vector<PlanVolume> volumes_of(const MigPlan& plan) {
  const auto& entries = plan.persistent_volumes;
  if (entries.size() > kMaxVolumes) {
    throw Error(Code::kInvalid, fmt::format("MigPlan {}: spec.persistentVolumes has {} entries, more than {}: spread "
                                            "its namespaces over several plans",
                                            plan.self.str(), entries.size(), kMaxVolumes));
  }
  std::map<std::string, std::string> target_of;
  for (const auto& ns : plan.namespaces) target_of[ns.source] = ns.destination;
  std::vector<PlanVolume> out;
  out.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto ns = string_at(entries[i], "pvc.namespace");
    const auto mapped = target_of.find(ns);
    if (mapped == target_of.end()) continue;
    out.push_back(parse_volume(Reader(plan, i, entries[i]), entries[i], std::move(ns), mapped->second));
  }
  return out;
}

std::vector<PlanVolume> directly_copied(const MigPlan& plan) {
  if (plan.indirect_volumes) return {};
  auto out = volumes_of(plan);
  std::erase_if(out, [](const PlanVolume& volume) { return !volume.is_direct_copy(); });
  return out;
}

std::vector<PlanVolume> indirectly_copied(const MigPlan& plan) {
  auto out = volumes_of(plan);
  std::erase_if(out, [&](const PlanVolume& volume) {
    const bool is_staged = volume.is_snapshot_copy() || (plan.indirect_volumes && volume.is_direct_copy());
    return !is_staged || volume.mode == VolumeMode::kUnknown;
  });
  return out;
}

std::vector<PlanVolume> moved_volumes(const MigPlan& plan) {
  auto out = volumes_of(plan);
  std::erase_if(out, [](const PlanVolume& volume) { return volume.action != VolumeAction::kMove; });
  return out;
}

std::vector<PlanVolume> carried_volumes(const MigPlan& plan) {
  auto out = directly_copied(plan);
  std::ranges::move(indirectly_copied(plan), std::back_inserter(out));
  return out;
}

bool has_volumes(const std::vector<PlanVolume>& volumes) {
  return std::ranges::any_of(volumes, [](const PlanVolume& v) { return v.action != VolumeAction::kSkip; });
}

bool volumes_enabled(const Json& plan_object) {
  const auto excluded = strings_at(plan_object, "status.excludedResources");
  return std::ranges::find(excluded, "persistentvolumes") == excluded.end();
}

}  // namespace mtc::api
