#include "migrate/migration.hpp"

#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "api/volumes.hpp"
#include "backup/item_rules.hpp"

namespace mtc::migrate {

Outcome done() { return {}; }

Outcome wait_for(std::vector<Subject> wake_on, Duration at_most) {
  Outcome out{.kind = Outcome::Kind::kWait};
  out.wake_on = std::move(wake_on);
  out.again_after = at_most;
  return out;
}

Outcome fail(std::string phase, std::vector<std::string> reasons) {
  Outcome out{.kind = Outcome::Kind::kFail};
  out.failed_phase = std::move(phase);
  out.reasons = std::move(reasons);
  return out;
}

Outcome judged(const Error& error) {
  const bool permanent = error.code() == Code::kInvalid || error.code() == Code::kForbidden ||
                         error.code() == Code::kUnauthorized || error.code() == Code::kUnsupported ||
                         error.code() == Code::kCorrupt || error.code() == Code::kNotFound ||
                         error.code() == Code::kTls || error.code() == Code::kInternal;
  if (!permanent) throw error;
  return fail("MigrationFailed", {error.what()});
}

std::vector<std::string> Migration::source_namespaces() const {
  std::vector<std::string> out;
  out.reserve(plan.namespaces.size());
  for (const auto& ns : plan.namespaces) out.push_back(ns.source);
  return out;
}

std::vector<std::string> Migration::destination_namespaces() const {
  std::vector<std::string> out;
  out.reserve(plan.namespaces.size());
  for (const auto& ns : plan.namespaces) out.push_back(ns.destination);
  return out;
}

std::set<kube::ObjectKey> Migration::source_claims() const {
  std::set<kube::ObjectKey> out;
  for (const auto& volume : api::volumes_of(plan)) {
    if (volume.action != api::VolumeAction::kSkip) out.insert({volume.claim.ns, volume.claim.name});
  }
  return out;
}

std::set<kube::ObjectKey> Migration::target_claims() const {
  std::set<kube::ObjectKey> out;
  for (const auto& volume : api::volumes_of(plan)) {
    if (volume.action != api::VolumeAction::kSkip) out.insert({volume.target.ns, volume.target.name});
  }
  return out;
}

std::string Migration::velero_name(std::string_view kind) const {
  return fmt::format("{}-{}-{}", self.self.name.substr(0, 55 - kind.size()), kind, self.uid.substr(0, 5));
}

Json Migration::labels() const {
  return {{api::labels::kPartOf, api::kNamespace},
          {api::labels::kController, host_id},
          {api::labels::kMigration, self.uid},
          {api::labels::kMigrationName, backup::label_value(self.self.name)},
          {api::labels::kPlanName, backup::label_value(plan.self.name)},
          {api::labels::kMigratedByMigration, self.uid},
          {api::labels::kMigratedByPlan, plan.uid}};
}

Duration Migration::in_phase() const { return clock->now() - phase_since; }

}  // namespace mtc::migrate
