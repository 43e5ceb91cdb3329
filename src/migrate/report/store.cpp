#include <fmt/format.h>

#include "api/names.hpp"
#include "api/volume_migration.hpp"
#include "backup/files.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "json/json.hpp"
#include "migrate/indirect/staging.hpp"
#include "migrate/moved/volumes.hpp"
#include "migrate/report/envelope.hpp"
#include "migrate/report/report.hpp"
#include "migrate/steps/volume_migration.hpp"

namespace mtc::migrate::report {
namespace {

constexpr auto kKey = "mtc-report-key";  ///< Secret with both halves, ConfigMap with the public one
constexpr auto kPrivate = "private.pem";
constexpr auto kPublic = "public.pem";
constexpr auto kReport = "report.json.gz";  ///< in a ConfigMap's binaryData
/// An object of Kubernetes ends at 1 MiB of text, base64 included.
constexpr std::size_t kMost = 700 * 1024;
constexpr std::size_t kLongest = 64 * 1024 * 1024;  ///< unpacked

std::string name_of(const std::string& migration_uid) { return "mtc-report-" + migration_uid; }

Json map_object(const char* kind, const std::string& name, Json labels) {
  return {{"apiVersion", "v1"},
          {"kind", kind},
          {"metadata", {{"namespace", api::kNamespace}, {"name", name}, {"labels", std::move(labels)}}}};
}

std::string decoded(const Json& secret, std::string_view key) {
  const auto* value = member(object_at(secret, "data"), key);
  const auto text = value != nullptr && value->is_string() ? base64_decode(value->get<std::string>()) : std::nullopt;
  if (!text) throw Error(Code::kInvalid, fmt::format("Secret {}/{} has no {}", api::kNamespace, kKey, key));
  return *text;
}

/// The host's key, made when it is needed for the first time. Whoever comes second takes what is there.
Task<SigningKey> signing_key(kube::ClientPtr host) {
  const Json part_of = {{api::labels::kPartOf, "openshift-migration"}};
  auto secret = co_await host->get(kube::types::secrets(), {api::kNamespace, kKey});
  if (!secret) {
    const auto key = make_signing_key();
    auto fresh = map_object("Secret", kKey, part_of);
    fresh["data"] = {{kPrivate, base64_encode(key.private_pem.reveal())}, {kPublic, base64_encode(key.public_pem)}};
    secret = (co_await kube::ensure(*host, kube::types::secrets(), std::move(fresh))).first;
  }
  SigningKey key{Secret(decoded(*secret, kPrivate)), decoded(*secret, kPublic)};
  auto open = map_object("ConfigMap", kKey, part_of);
  open["data"] = {{kPublic, key.public_pem}};
  const auto [stored, made] = co_await kube::ensure(*host, kube::types::config_maps(), open);
  const Json patch = {{"data", open["data"]}};
  if (!made && object_at(stored, "data") != open["data"])
    co_await host->patch(kube::types::config_maps(), {api::kNamespace, kKey}, kube::PatchKind::kMerge, patch);
  co_return key;
}

/// What became of the objects, from the bucket; null if this migration restored none.
Task<Json> restored_items(Migration& m) {
  if (!m.store) co_return Json();  // nothing passes through a bucket
  const backup::Environment environment{.store = m.store, .clock = m.clock};
  co_return co_await backup::read_items(environment, m.velero_name("final"));
}

/// Those that travelled through the bucket; a rollback copies nothing.
Task<void> add_staged(Migration& m, std::vector<VolumeResult>* out) {
  if (m.self.rollback) co_return;
  const auto volumes = indirect::staged_volumes(m);
  if (volumes.empty()) co_return;
  std::map<std::string, Json> restores;
  const kube::ListOptions ours{.label_selector = fmt::format("{}={}", api::labels::kMigration, m.self.uid)};
  for (auto& object :
       co_await kube::list_all(*m.destination, kube::types::pod_volume_restores(), api::kNamespace, ours)) {
    const auto name = kube::key_of(object).name;
    restores[name] = std::move(object);
  }
  const Json parent = {{"metadata", {{"namespace", api::kNamespace}, {"name", m.velero_name("stage")}}}};
  for (const auto& volume : volumes) {
    const auto& restore = restores[indirect::pod_volume_name(parent, volume)];
    VolumeResult result{volume.claim, volume.target, string_at(restore, "status.phase") == "Completed", Json::object()};
    const auto facts = kube::annotation(restore, api::annotations::kVolumeResult);
    if (!facts.empty()) result.facts = parse_json(facts, {.max_depth = 4});
    out->push_back(std::move(result));
  }
}

/// Those that changed clusters as they are.
Task<void> add_moved(Migration& m, std::vector<VolumeResult>* out) {
  if (m.self.rollback) co_return;
  for (const auto& volume : moved::volumes_of(m)) {
    const auto claim =
        co_await m.destination->get(kube::types::persistent_volume_claims(), {volume.target.ns, volume.target.name});
    const bool is_there =
        claim && string_at(*claim, "status.phase") == "Bound" && string_at(*claim, "spec.volumeName") == volume.pv;
    const Json facts = {{"volume", volume.pv}, {"moved", is_there}};
    out->push_back({volume.claim, volume.target, false, facts});
  }
}

/// Packed so that it fits into an object: of what arrived unchanged only the number remains, if it must be.
std::string packed(Json report, const SigningKey& key) {
  auto bytes = backup::gzip(dump(seal(report, key)));
  for (const auto* part : {"identical", "others"}) {
    if (bytes.size() <= kMost || !report.contains("objects")) break;
    report["objects"][part] = "too many to be listed here: the bucket has them";
    bytes = backup::gzip(dump(seal(report, key)));
  }
  return bytes;
}

}  // namespace

Task<std::vector<VolumeResult>> volume_results(Migration& m) {
  std::vector<VolumeResult> out;
  co_await add_staged(m, &out);
  co_await add_moved(m, &out);
  const auto object = co_await find_volume_migration(m);
  if (!object) co_return out;
  std::map<api::Ref, Json> operations;
  for (const auto& operation : array_at(*object, "status.rsyncOperations"))
    operations[api::parse_ref(operation, "pvcReference")] = operation;
  for (const auto& claim : api::DirectVolumeMigration::parse(*object).claims) {
    const auto& operation = operations[claim.source];
    out.push_back({claim.source, claim.target, bool_at(operation, "succeeded"), object_at(operation, "result")});
  }
  co_return out;
}

Task<void> store(Migration& m, const Json& status, const std::vector<VolumeResult>& volumes) {
  const auto report = make(m, status, co_await restored_items(m), volumes);
  const auto key = co_await signing_key(m.host);
  auto object = map_object("ConfigMap", name_of(m.self.uid), m.labels());
  object["metadata"]["ownerReferences"] = Json::array({{{"apiVersion", api::kApiVersion},
                                                        {"kind", api::kMigMigration},
                                                        {"name", m.self.self.name},
                                                        {"uid", m.self.uid}}});
  object["binaryData"] = {{kReport, base64_encode(packed(report, key))}};
  co_await kube::ensure(*m.host, kube::types::config_maps(), std::move(object));
}

Task<std::optional<Json>> load(kube::ClientPtr host, std::string migration_uid) {
  const auto object = co_await host->get(kube::types::config_maps(), {api::kNamespace, name_of(migration_uid)});
  if (!object) co_return std::nullopt;
  const auto* value = member(object_at(*object, "binaryData"), kReport);
  const auto bytes = value != nullptr && value->is_string() ? base64_decode(value->get<std::string>()) : std::nullopt;
  if (!bytes) throw Error(Code::kCorrupt, fmt::format("ConfigMap {} holds no report", kube::key_of(*object).str()));
  co_return parse_json(backup::gunzip(*bytes, kLongest));
}

Task<std::string> public_key(kube::ClientPtr host) {
  const auto object = co_await host->get(kube::types::config_maps(), {api::kNamespace, kKey});
  if (!object) co_return "";
  const auto* value = member(object_at(*object, "data"), kPublic);
  co_return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

}  // namespace mtc::migrate::report
