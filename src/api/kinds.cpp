#include "api/kinds.hpp"

#include "api/condition.hpp"
#include "base/strings.hpp"

namespace mtc::api {
namespace {

Ref self_of(const Json& object) {
  return {string_at(object, "metadata.namespace"), string_at(object, "metadata.name")};
}

}  // namespace

Ref parse_ref(const Json& object, std::string_view path) {
  const auto& ref = object_at(object, path);
  return {string_at(ref, "namespace"), string_at(ref, "name")};
}

MigCluster MigCluster::parse(const Json& object) {
  const auto& spec = object_at(object, "spec");
  MigCluster out;
  out.self = self_of(object);
  out.is_host = bool_at(spec, "isHostCluster");
  out.url = string_at(spec, "url");
  out.secret = parse_ref(spec, "serviceAccountSecretRef");
  out.ca_bundle = string_at(spec, "caBundle");
  out.insecure = bool_at(spec, "insecure");
  out.refresh = bool_at(spec, "refresh");
  out.exposed_registry_path = string_at(spec, "exposedRegistryPath");
  out.ready = has_condition(object, "Ready");
  return out;
}

MigStorage MigStorage::parse(const Json& object) {
  const auto& spec = object_at(object, "spec");
  const auto& backup = object_at(spec, "backupStorageConfig");
  const auto& snapshot = object_at(spec, "volumeSnapshotConfig");
  MigStorage out;
  out.self = self_of(object);
  out.uid = string_at(object, "metadata.uid");
  out.provider = string_at(spec, "backupStorageProvider");
  out.credentials = parse_ref(backup, "credsSecretRef");
  out.bucket = string_at(backup, "awsBucketName");
  out.region = string_at(backup, "awsRegion");
  out.url = string_at(backup, "awsS3Url");
  out.public_url = string_at(backup, "awsPublicUrl");
  out.kms_key_id = string_at(backup, "awsKmsKeyId");
  out.signature_version = string_at(backup, "awsSignatureVersion");
  out.ca_bundle = string_at(backup, "s3CustomCABundle");
  out.insecure = bool_at(backup, "insecure");
  out.snapshot_provider = string_at(spec, "volumeSnapshotProvider");
  out.snapshot_credentials = parse_ref(snapshot, "credsSecretRef");
  out.snapshot_region = string_at(snapshot, "awsRegion");
  out.snapshot_timeout = string_at(snapshot, "snapshotCreationTimeout");
  out.refresh = bool_at(spec, "refresh");
  out.ready = has_condition(object, "Ready");
  return out;
}

NamespaceMapping parse_namespace(std::string_view entry) {
  const auto parts = split(entry, ':');
  NamespaceMapping out;
  if (!parts.empty()) out.source = parts[0];
  out.destination = parts.size() > 1 ? parts[1] : out.source;
  return out;
}

MigPlan MigPlan::parse(const Json& object) {
  const auto& spec = object_at(object, "spec");
  MigPlan out;
  out.self = self_of(object);
  out.uid = string_at(object, "metadata.uid");
  out.source = parse_ref(spec, "srcMigClusterRef");
  out.destination = parse_ref(spec, "destMigClusterRef");
  out.storage = parse_ref(spec, "migStorageRef");
  out.raw_namespaces = strings_at(spec, "namespaces");
  for (const auto& entry : out.raw_namespaces) out.namespaces.push_back(parse_namespace(entry));
  out.closed = bool_at(spec, "closed");
  out.refresh = bool_at(spec, "refresh");
  out.indirect_images = bool_at(spec, "indirectImageMigration");
  out.indirect_volumes = bool_at(spec, "indirectVolumeMigration");
  out.hooks = array_at(spec, "hooks").size();
  out.included_resources = array_at(spec, "includedResources");
  if (const auto* selector = find(spec, "labelSelector")) out.label_selector = *selector;
  out.persistent_volumes = array_at(spec, "persistentVolumes");
  out.ready = has_condition(object, "Ready");
  return out;
}

MigMigration MigMigration::parse(const Json& object) {
  const auto& spec = object_at(object, "spec");
  MigMigration out;
  out.self = self_of(object);
  out.uid = string_at(object, "metadata.uid");
  out.plan = parse_ref(spec, "migPlanRef");
  out.stage = bool_at(spec, "stage");
  out.migrate_state = bool_at(spec, "migrateState");
  out.rollback = bool_at(spec, "rollback");
  out.canceled = bool_at(spec, "canceled");
  out.quiesce = bool_at(spec, "quiescePods");
  out.keep_annotations = bool_at(spec, "keepAnnotations");
  out.verify = bool_at(spec, "verify");
  if (spec.contains("runAsRoot")) out.run_as.root = bool_at(spec, "runAsRoot");
  out.run_as.user = int_at(spec, "runAsUser");
  out.run_as.group = int_at(spec, "runAsGroup");
  out.phase = string_at(object, "status.phase");
  out.itinerary = string_at(object, "status.itinerary");
  out.errors = strings_at(object, "status.errors");
  return out;
}

}  // namespace mtc::api
