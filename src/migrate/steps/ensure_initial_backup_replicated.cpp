#include "api/names.hpp"
#include "json/json.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

/// Puts the Backup on the destination itself, instead of waiting for somebody to find it in the bucket.
Task<Outcome> ensure_initial_backup_replicated(Migration& m) {
  const auto backup =
      co_await kube::must_get(*m.source, kube::types::backups(), {api::kNamespace, m.velero_name("initial")});
  const Json copy = {{"apiVersion", "velero.io/v1"},
                     {"kind", "Backup"},
                     {"metadata",
                      {{"namespace", api::kNamespace},
                       {"name", kube::key_of(backup).name},
                       {"labels", object_at(backup, "metadata.labels")},
                       {"annotations", object_at(backup, "metadata.annotations")}}},
                     {"spec", object_at(backup, "spec")},
                     {"status", object_at(backup, "status")}};
  co_await kube::ensure(*m.destination, kube::types::backups(), copy);
  co_return done();
}

}  // namespace mtc::migrate
