#include "api/names.hpp"
#include "migrate/volumes/helpers.hpp"
#include "migrate/volumes/steps/steps.hpp"
#include "plan/types.hpp"

namespace mtc::migrate::volumes {
namespace {

Json reference(const api::Ref& ref) { return {{"namespace", ref.ns}, {"name", ref.name}}; }

Json progress_of(const Copying& c, const api::ClaimCopy& claim) {
  const Json owner = {{"apiVersion", api::kApiVersion},
                      {"kind", api::kDirectVolumeMigration},
                      {"name", c.self.self.name},
                      {"uid", c.self.uid},
                      {"controller", true},
                      {"blockOwnerDeletion", true}};
  const Json labels = {{api::labels::kPartOf, api::kNamespace}, {api::labels::kDirectVolumeMigration, c.self.uid}};
  const Json selector = {{api::labels::kCreatedForClaim, md5_hex(claim.source.name)},
                         {api::labels::kDirectVolumeMigration, c.self.uid}};
  return {{"apiVersion", api::kApiVersion},
          {"kind", api::kDirectVolumeMigrationProgress},
          {"metadata",
           {{"namespace", api::kNamespace},
            {"name", progress_name(c, claim)},
            {"labels", labels},
            {"ownerReferences", Json::array({owner})}}},
          {"spec",
           {{"clusterRef", reference(c.self.source)}, {"podNamespace", claim.source.ns}, {"podSelector", selector}}}};
}

}  // namespace

Task<Outcome> create_progresses(Copying& c) {
  for (const auto& claim : c.self.claims)
    co_await ensure_ours(c.host, plan::types::volume_progresses(), progress_of(c, claim));
  co_return done();
}

}  // namespace mtc::migrate::volumes
