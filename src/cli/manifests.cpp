#include "cli/manifests.hpp"

#include "api/names.hpp"
#include "base/encoding.hpp"
#include "json/json.hpp"
#include "kube/resource.hpp"

namespace mtc::cli {
namespace {

Json secret_reference(const std::string& name) { return {{"name", name}, {"namespace", kConfigNamespace}}; }

}  // namespace

bool is_made_by_us(const Json& object) { return kube::label(object, kManagedBy) == kOurselves; }

Json reference_to(const std::string& name) { return {{"name", name}, {"namespace", api::kNamespace}}; }

Json manifest(const Kind& kind, const std::string& name, Json spec) {
  return {{"apiVersion", api::kApiVersion},
          {"kind", kind.type.kind},
          {"metadata", {{"name", name}, {"namespace", api::kNamespace}}},
          {"spec", std::move(spec)}};
}

Json secret_manifest(const std::string& name, const std::vector<std::pair<std::string, std::string>>& values) {
  Json data = Json::object();
  for (const auto& [key, value] : values) data[key] = base64_encode(value);
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata", {{"name", name}, {"namespace", kConfigNamespace}, {"labels", {{kManagedBy, kOurselves}}}}},
          {"type", "Opaque"},
          {"data", std::move(data)}};
}

std::string secret_of_cluster(const std::string& name) { return name + "-cluster"; }
std::string secret_of_storage(const std::string& name) { return name + "-storage"; }

Json host_cluster_spec() { return {{"isHostCluster", true}}; }

Json cluster_spec(const RemoteCluster& cluster) {
  Json spec = {{"isHostCluster", false},
               {"insecure", cluster.insecure},
               {"url", cluster.url},
               {"serviceAccountSecretRef", secret_reference(secret_of_cluster(cluster.name))}};
  if (!cluster.ca_pem.empty()) spec["caBundle"] = base64_encode(cluster.ca_pem);
  return spec;
}

Json storage_spec(const Bucket& bucket) {
  Json config = {{"awsBucketName", bucket.bucket},
                 {"credsSecretRef", secret_reference(secret_of_storage(bucket.name))}};
  if (!bucket.url.empty()) config["awsS3Url"] = bucket.url;
  if (!bucket.region.empty()) config["awsRegion"] = bucket.region;
  if (!bucket.ca_pem.empty()) config["s3CustomCABundle"] = base64_encode(bucket.ca_pem);
  return {{"backupStorageProvider", "aws"}, {"backupStorageConfig", std::move(config)}};
}

Json plan_spec(const Plan& plan) {
  Json spec = {{"srcMigClusterRef", reference_to(plan.source)},
               {"destMigClusterRef", reference_to(plan.destination)},
               {"namespaces", plan.namespaces},
               {"indirectImageMigration", !plan.direct_images},
               {"indirectVolumeMigration", plan.indirect_volumes}};
  if (!plan.storage.empty()) spec["migStorageRef"] = reference_to(plan.storage);
  return spec;
}

Json migration_spec(const Run& run) {
  Json spec = {{"migPlanRef", reference_to(run.plan)},
               {"quiescePods", run.quiesce},
               {"stage", run.stage},
               {"rollback", run.rollback}};
  if (run.state) spec["migrateState"] = true;
  return spec;
}

}  // namespace mtc::cli
