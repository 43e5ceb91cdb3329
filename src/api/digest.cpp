#include <span>

#include "api/kinds.hpp"
#include "api/names.hpp"
#include "base/encoding.hpp"
#include "base/hash.hpp"

namespace mtc::api {
namespace {

/// A field as Go's encoder writes it: in struct order, and left out when zero unless it says otherwise.
struct Field {
  enum class Zero { kOmitted, kWritten } zero = Zero::kOmitted;
  std::string_view name;
  std::span<const Field> fields{};  ///< of an object, or of the objects of a list
  std::string_view written_as{};    ///< a zero that is written: false, {}, "0"
};
using enum Field::Zero;

constexpr Field kRef[] = {{kOmitted, "kind"},     {kOmitted, "namespace"},  {kOmitted, "name"},
                          {kOmitted, "uid"},      {kOmitted, "apiVersion"}, {kOmitted, "resourceVersion"},
                          {kOmitted, "fieldPath"}};
constexpr Field kClusterSpec[] = {{kWritten, "isHostCluster", {}, "false"},
                                  {kOmitted, "url"},
                                  {kOmitted, "serviceAccountSecretRef", kRef},
                                  {kOmitted, "caBundle"},
                                  {kOmitted, "azureResourceGroup"},
                                  {kOmitted, "insecure"},
                                  {kOmitted, "restartRestic"},
                                  {kOmitted, "refresh"},
                                  {kOmitted, "exposedRegistryPath"}};
constexpr Field kBackupConfig[] = {{kOmitted, "credsSecretRef", kRef},
                                   {kOmitted, "awsBucketName"},
                                   {kOmitted, "awsRegion"},
                                   {kOmitted, "awsS3ForcePathStyle"},
                                   {kOmitted, "awsS3Url"},
                                   {kOmitted, "awsPublicUrl"},
                                   {kOmitted, "awsKmsKeyId"},
                                   {kOmitted, "awsSignatureVersion"},
                                   {kOmitted, "s3CustomCABundle"},
                                   {kOmitted, "azureStorageAccount"},
                                   {kOmitted, "azureStorageContainer"},
                                   {kOmitted, "azureResourceGroup"},
                                   {kOmitted, "gcpBucket"},
                                   {kOmitted, "insecure"}};
constexpr Field kSnapshotConfig[] = {{kOmitted, "credsSecretRef", kRef},
                                     {kOmitted, "snapshotCreationTimeout"},
                                     {kOmitted, "awsRegion"},
                                     {kOmitted, "azureApiTimeout"},
                                     {kOmitted, "azureResourceGroup"}};
constexpr Field kStorageSpec[] = {{kWritten, "backupStorageProvider", {}, "\"\""},
                                  {kWritten, "backupStorageConfig", kBackupConfig, "{}"},
                                  {kOmitted, "volumeSnapshotProvider"},
                                  {kWritten, "volumeSnapshotConfig", kSnapshotConfig, "{}"},
                                  {kOmitted, "refresh"}};
constexpr Field kSupported[] = {{kWritten, "actions", {}, "null"}, {kWritten, "copyMethods", {}, "null"}};
constexpr Field kSelection[] = {{kOmitted, "action"},
                                {kOmitted, "storageClass"},
                                {kOmitted, "accessMode"},
                                {kOmitted, "copyMethod"},
                                {kOmitted, "verify"}};
constexpr Field kClaim[] = {{kOmitted, "namespace"},  {kOmitted, "name"},         {kOmitted, "accessModes"},
                            {kOmitted, "volumeMode"}, {kOmitted, "hasReference"}, {kOmitted, "ownerType"}};
constexpr Field kVolume[] = {{kOmitted, "name"},
                             {kWritten, "capacity", {}, "\"0\""},
                             {kOmitted, "storageClass"},
                             {kWritten, "supported", kSupported, "{}"},
                             {kWritten, "selection", kSelection, "{}"},
                             {kWritten, "pvc", kClaim, "{}"},
                             {kOmitted, "capacityConfirmed"},
                             {kWritten, "proposedCapacity", {}, "\"0\""}};
constexpr Field kHook[] = {{kWritten, "reference", kRef, "null"},
                           {kWritten, "phase", {}, "\"\""},
                           {kWritten, "executionNamespace", {}, "\"\""},
                           {kWritten, "serviceAccount", {}, "\"\""}};
constexpr Field kGroupKind[] = {{kWritten, "group", {}, "\"\""}, {kWritten, "kind", {}, "\"\""}};
constexpr Field kExpression[] = {
    {kWritten, "key", {}, "\"\""}, {kWritten, "operator", {}, "\"\""}, {kOmitted, "values"}};
constexpr Field kLabelSelector[] = {{kOmitted, "matchLabels"}, {kOmitted, "matchExpressions", kExpression}};
constexpr Field kPlanSpec[] = {{kOmitted, "persistentVolumes", kVolume},
                               {kOmitted, "namespaces"},
                               {kOmitted, "srcMigClusterRef", kRef},
                               {kOmitted, "destMigClusterRef", kRef},
                               {kOmitted, "migStorageRef", kRef},
                               {kOmitted, "closed"},
                               {kOmitted, "hooks", kHook},
                               {kOmitted, "refresh"},
                               {kOmitted, "indirectImageMigration"},
                               {kOmitted, "indirectVolumeMigration"},
                               {kOmitted, "includedResources", kGroupKind},
                               {kOmitted, "labelSelector", kLabelSelector},
                               {kOmitted, "liveMigrate"}};
constexpr Field kMigrationSpec[] = {
    {kOmitted, "migPlanRef", kRef}, {kWritten, "stage", {}, "false"}, {kOmitted, "migrateState"},
    {kOmitted, "quiescePods"},      {kOmitted, "keepAnnotations"},    {kOmitted, "verify"},
    {kOmitted, "canceled"},         {kOmitted, "rollback"},           {kOmitted, "runAsRoot"},
    {kOmitted, "runAsUser"},        {kOmitted, "runAsGroup"}};
constexpr Field kClaimCopy[] = {{kOmitted, "kind"},
                                {kOmitted, "namespace"},
                                {kOmitted, "name"},
                                {kOmitted, "uid"},
                                {kOmitted, "apiVersion"},
                                {kOmitted, "resourceVersion"},
                                {kOmitted, "fieldPath"},
                                {kWritten, "targetStorageClass", {}, "\"\""},
                                {kWritten, "targetAccessModes", {}, "null"},
                                {kOmitted, "targetVolumeMode"},
                                {kOmitted, "targetNamespace"},
                                {kOmitted, "targetName"},
                                {kOmitted, "targetCapacity"},
                                {kOmitted, "verify"}};
constexpr Field kDirectVolumeSpec[] = {{kOmitted, "srcMigClusterRef", kRef},
                                       {kOmitted, "destMigClusterRef", kRef},
                                       {kOmitted, "backOffLimit"},
                                       {kOmitted, "persistentVolumeClaims", kClaimCopy},
                                       {kOmitted, "createDestinationNamespaces"},
                                       {kOmitted, "deleteProgressReportingCRs"},
                                       {kOmitted, "liveMigrate"},
                                       {kOmitted, "migrationType"}};
constexpr Field kVolumeProgressSpec[] = {
    {kOmitted, "clusterRef", kRef}, {kOmitted, "podRef", kRef}, {kOmitted, "podNamespace"}, {kOmitted, "podSelector"}};

std::span<const Field> fields_of(std::string_view kind) {
  if (kind == kMigCluster) return kClusterSpec;
  if (kind == kMigStorage) return kStorageSpec;
  if (kind == kMigPlan) return kPlanSpec;
  if (kind == kDirectVolumeMigration) return kDirectVolumeSpec;
  if (kind == kDirectVolumeMigrationProgress) return kVolumeProgressSpec;
  return kMigrationSpec;
}

/// Go's idea of empty for omitempty: pointers (tri-state booleans) count as given.
bool is_zero(std::string_view name, const Json& value) {
  if (name == "restartRestic" || name == "liveMigrate" || name == "runAsRoot" || name == "runAsUser" ||
      name == "runAsGroup")
    return value.is_null();
  return value.is_null() || value == false || value == 0 ||
         (value.is_string() && value.get_ref<const std::string&>().empty()) || (value.is_array() && value.empty());
}

std::string write(const Json& value, std::span<const Field> fields);

std::string write_object(const Json& value, std::span<const Field> fields) {
  std::string out = "{";
  for (const auto& field : fields) {
    const auto* at = member(value, field.name);
    const bool absent = at == nullptr || is_zero(field.name, *at);
    if (absent && field.zero == kOmitted) continue;
    out += (out.size() > 1 ? ",\"" : "\"") + std::string(field.name) + "\":";
    if (!absent) {
      out += write(*at, field.fields);
    } else {
      out += field.fields.empty() || field.written_as != "{}" ? std::string(field.written_as)
                                                              : write_object(Json::object(), field.fields);
    }
  }
  return out + "}";
}

std::string write(const Json& value, std::span<const Field> fields) {
  if (fields.empty()) return dump_go(value);
  if (!value.is_array()) return write_object(value, fields);
  std::string out = "[";
  for (const auto& element : value) out += (out.size() > 1 ? "," : "") + write_object(element, fields);
  return out + "]";
}

}  // namespace

std::string spec_digest(std::string_view kind, const Json& spec) {
  return hex(sha256(write_object(spec, fields_of(kind))));
}

}  // namespace mtc::api
