#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "api/kinds.hpp"
#include "api/names.hpp"
#include "api/volume_migration.hpp"
#include "api/volumes.hpp"
#include "base/error.hpp"

// Any JSON, read as each of our kinds: what is malformed counts as absent, and the digest of a spec depends on nothing
// but the spec.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  Json object;
  try {
    object = parse_json({reinterpret_cast<const char*>(data), size});
  } catch (const Error&) {
    return -1;
  }
  api::MigCluster::parse(object);
  api::MigStorage::parse(object);
  api::MigMigration::parse(object);
  const auto plan = api::MigPlan::parse(object);
  if (plan.namespaces.size() != plan.raw_namespaces.size() || !plan.persistent_volumes.is_array()) std::abort();
  try {
    for (const auto& volume : api::volumes_of(plan)) {
      if (volume.pv.empty() || !volume.claim.set() || !volume.target.set()) std::abort();
    }
  } catch (const Error& error) {
    if (error.code() != Code::kInvalid) std::abort();
  }

  try {
    for (const auto& claim : api::DirectVolumeMigration::parse(object).claims) {
      if (!claim.source.set() || !claim.target.set()) std::abort();
    }
  } catch (const Error& error) {
    if (error.code() != Code::kInvalid) std::abort();
  }
  api::VolumeProgress::parse(object);

  const auto& spec = object_at(object, "spec");
  auto more = spec;
  more["noFieldOfOurs"] = "x";
  for (const auto* kind : {api::kMigCluster, api::kMigStorage, api::kMigPlan, api::kMigMigration,
                           api::kDirectVolumeMigration, api::kDirectVolumeMigrationProgress}) {
    if (api::spec_digest(kind, spec) != api::spec_digest(kind, more)) std::abort();
    if (api::spec_digest(kind, spec).size() != 64) std::abort();
  }
  return 0;
}
