#include "migrate/volumes/copying.hpp"

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/encoding.hpp"
#include "base/hash.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr auto kPurpose = "purpose";
constexpr auto kTargetClaim = "pvc";  ///< = MD5 of the target claim's name

/// Ten digits that stand for a claim of this DirectVolumeMigration.
std::string tag(const Copying& c, const api::ClaimCopy& claim) {
  return md5_hex(c.self.uid + "/" + claim.source.str()).substr(0, 10);
}

std::string tag(const Copying& c) { return md5_hex(c.self.uid).substr(0, 10); }

}  // namespace

std::set<std::string> Copying::source_namespaces() const {
  std::set<std::string> out;
  for (const auto& claim : self.claims) out.insert(claim.source.ns);
  return out;
}

std::set<std::string> Copying::destination_namespaces() const {
  std::set<std::string> out;
  for (const auto& claim : self.claims) out.insert(claim.target.ns);
  return out;
}

Maker maker_of(const Copying& c) {
  return {.plan_uid = c.self.plan_uid, .migration_uid = c.self.migration_uid, .copy_uid = c.self.uid};
}

Destination destination_of(const Copying& c) {
  return {.source = c.source,
          .destination = c.destination,
          .claims = c.self.claims,
          .maker = maker_of(c),
          .waited = c.in_phase(),
          .failed_phase = "MigrationFailed"};
}

std::string md5_hex(const std::string& text) { return hex(md5(text)); }

Json helper_labels(const Copying& c) {
  Json labels = {{api::labels::kPartOf, api::kNamespace},
                 {api::labels::kDirectVolumeMigration, c.self.uid},
                 {kAppLabel, kApp},
                 {"owner", "directvolumemigration"}};
  if (!c.self.plan_uid.empty()) labels[api::labels::kMigratedByPlan] = c.self.plan_uid;
  return labels;
}

Json sender_labels(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt) {
  auto labels = helper_labels(c);
  labels[api::labels::kCreatedForClaim] = md5_hex(claim.source.name);
  labels[api::labels::kAttempt] = std::to_string(attempt);
  return labels;
}

Json receiver_selector(const Copying& c, const api::ClaimCopy& claim) {
  auto labels = helper_labels(c);
  labels[kPurpose] = "rsync";
  labels[kTargetClaim] = md5_hex(claim.target.name);
  return labels;
}

Json receiver_labels(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt) {
  auto labels = receiver_selector(c, claim);
  labels[api::labels::kAttempt] = std::to_string(attempt);
  return labels;
}

std::string selector_of(const Copying& c) {
  return fmt::format("{}={}", api::labels::kDirectVolumeMigration, c.self.uid);
}

std::string sender_name(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt) {
  return fmt::format("rsync-{}-{}", tag(c, claim), attempt);
}
std::string receiver_name(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt) {
  return fmt::format("rsync-server-{}-{}", tag(c, claim), attempt);
}
std::string service_name(const Copying& c, const api::ClaimCopy& claim) {
  return fmt::format("rsync-server-{}", tag(c, claim));
}
std::string sender_secret(const Copying& c) { return fmt::format("rsync-{}-sender", tag(c)); }
std::string receiver_secret(const Copying& c) { return fmt::format("rsync-{}-receiver", tag(c)); }

std::string progress_name(const Copying& c, const api::ClaimCopy& claim) {
  return md5_hex(c.self.self.name + claim.source.name + claim.source.ns);
}

}  // namespace mtc::migrate::volumes
