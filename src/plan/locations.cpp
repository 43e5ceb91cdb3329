#include <set>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "json/json.hpp"
#include "json/patch.hpp"
#include "plan/checks.hpp"
#include "plan/types.hpp"

namespace mtc::plan {
namespace {

constexpr auto kVeleroApi = "velero.io/v1";

Json plan_labels(const std::string& plan_uid, const std::string& host_id) {
  return {{api::labels::kPartOf, api::kNamespace}, {api::labels::kPlan, plan_uid}, {api::labels::kController, host_id}};
}

const std::vector<kube::ResourceType>& location_types() {
  static const std::vector<kube::ResourceType> types = {kube::types::backup_storage_locations(),
                                                        kube::types::volume_snapshot_locations()};
  return types;
}

/// Creates `wanted`, or changes what differs from it in `parts` of the one that is there.
Task<void> ensure_parts(kube::ClientPtr cluster, kube::ResourceType type, std::optional<Json> have, Json wanted,
                        std::vector<std::string> parts) {
  if (!have) {
    co_await cluster->create(type, std::move(wanted));
    co_return;
  }
  Json patch = Json::object();
  for (const auto& part : parts) {
    if (have->value(part, Json()) != wanted[part]) patch[part] = wanted[part];
  }
  if (!patch.empty()) co_await cluster->patch(type, kube::key_of(*have), kube::PatchKind::kMerge, patch);
}

Task<std::optional<Json>> labelled(kube::ClientPtr cluster, kube::ResourceType type, std::string plan_uid) {
  const kube::ListOptions options{.label_selector = fmt::format("{}={}", api::labels::kPlan, plan_uid)};
  auto found = co_await kube::list_all(*cluster, type, api::kNamespace, options);
  if (found.empty()) co_return std::nullopt;
  co_return std::move(found.front());
}

Json backup_location(const api::MigPlan& plan, const api::MigStorage& storage, const std::string& host_id) {
  const auto url = storage.url.empty() ? storage.public_url : storage.url;
  Json config = {{"s3ForcePathStyle", url.empty() ? "false" : "true"},
                 {"region", storage.region.empty() ? "us-east-1" : storage.region},
                 {"insecureSkipTLSVerify", storage.insecure ? "true" : "false"}};
  if (!storage.url.empty()) config["s3Url"] = storage.url;
  if (!storage.public_url.empty()) config["publicUrl"] = storage.public_url;
  if (!storage.kms_key_id.empty()) config["kmsKeyId"] = storage.kms_key_id;
  if (!storage.signature_version.empty()) config["signatureVersion"] = storage.signature_version;
  Json objects = {{"bucket", storage.bucket}, {"prefix", "velero"}};
  if (!storage.ca_bundle.empty()) objects["caCert"] = storage.ca_bundle;
  // A name that the plan alone has: two passes, or a controller that was killed between them, never make two.
  const auto name = fmt::format("{}-{}", storage.self.name.substr(0, 57), plan.uid.substr(0, 5));
  return {{"apiVersion", kVeleroApi},
          {"kind", "BackupStorageLocation"},
          {"metadata", {{"namespace", api::kNamespace}, {"name", name}, {"labels", plan_labels(plan.uid, host_id)}}},
          {"spec", {{"provider", storage.provider}, {"objectStorage", objects}, {"config", config}}}};
}

Json snapshot_location(const api::MigPlan& plan, const api::MigStorage& storage, const std::string& host_id) {
  const auto provider = storage.snapshot_provider.empty() ? storage.provider : storage.snapshot_provider;
  const auto region = storage.snapshot_provider.empty() ? storage.region : storage.snapshot_region;
  Json config = {{"region", region.empty() ? "us-east-1" : region}};
  if (!storage.snapshot_timeout.empty()) config["snapshotCreationTimeout"] = storage.snapshot_timeout;
  return {{"apiVersion", kVeleroApi},
          {"kind", "VolumeSnapshotLocation"},
          {"metadata",
           {{"namespace", api::kNamespace},
            {"name", fmt::format("{}-{}", storage.self.name, plan.uid)},
            {"labels", plan_labels(plan.uid, host_id)}}},
          {"spec", {{"provider", provider}, {"config", config}}}};
}

/// Neutral labels: the Secret is shared by all plans of a cluster, so no plan's end may take it away.
Json cloud_secret(const std::string& id, const std::string& key, const std::string& ca_bundle) {
  const auto text = fmt::format("\n[default]\naws_access_key_id={}\naws_secret_access_key={}\n", id, key);
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata",
           {{"namespace", api::kNamespace},
            {"name", "cloud-credentials"},
            {"labels", {{api::labels::kPartOf, api::kNamespace}}}}},
          {"data", {{"cloud", base64_encode(text)}, {"ca_bundle.pem", ca_bundle}}}};
}

}  // namespace

Task<void> ensure_locations(Connections* connections, kube::ClientPtr cluster, api::MigPlan plan,
                            api::MigStorage storage) {
  const auto host_id = co_await connections->host_id();
  const auto& backups = kube::types::backup_storage_locations();
  co_await ensure_parts(cluster, backups, co_await labelled(cluster, backups, plan.uid),
                        backup_location(plan, storage, host_id), {"spec"});
  const auto& snapshots = kube::types::volume_snapshot_locations();
  co_await ensure_parts(cluster, snapshots, co_await labelled(cluster, snapshots, plan.uid),
                        snapshot_location(plan, storage, host_id), {"spec"});
  const auto id = co_await secret_value(connections->host(), storage.credentials, "aws-access-key-id");
  const auto key = co_await secret_value(connections->host(), storage.credentials, "aws-secret-access-key");
  if (!id || !key) throw Error(Code::kNotFound, fmt::format("Secret {} lost its keys", storage.credentials.str()));
  const auto secret = cloud_secret(id->reveal(), key->reveal(), storage.ca_bundle);
  co_await ensure_parts(cluster, kube::types::secrets(),
                        co_await cluster->get(kube::types::secrets(), kube::key_of(secret)), secret, {"data"});
}

Task<void> remove_locations(kube::ClientPtr cluster, std::string plan_uid) {
  for (const auto& type : location_types()) {
    const kube::ListOptions options{.label_selector = fmt::format("{}={}", api::labels::kPlan, plan_uid)};
    for (const auto& object : co_await kube::list_all(*cluster, type, api::kNamespace, options))
      co_await cluster->remove(type, kube::key_of(object));
  }
}

Task<void> sweep_locations(Connections* connections, kube::ClientPtr cluster) {
  const kube::ListOptions ours{.label_selector = fmt::format("{},{}={}", api::labels::kPlan, api::labels::kController,
                                                             co_await connections->host_id())};
  struct Found {
    kube::ResourceType type;
    Json object;
  };
  std::vector<Found> found;
  for (const auto& type : location_types()) {
    for (auto& object : co_await kube::list_all(*cluster, type, api::kNamespace, ours))
      found.push_back({type, std::move(object)});
  }
  if (found.empty()) co_return;
  // Asked after the locations: a plan that made one of them is among these.
  std::set<std::string> plans;
  for (const auto& plan : co_await kube::list_all(*connections->host(), types::mig_plans(), api::kNamespace))
    plans.insert(kube::uid_of(plan));
  for (const auto& [type, object] : found) {
    if (plans.contains(kube::label(object, api::labels::kPlan))) continue;
    const kube::DeleteOptions exactly{.uid = kube::uid_of(object)};
    co_await cluster->remove(type, kube::key_of(object), exactly);
  }
}

}  // namespace mtc::plan
