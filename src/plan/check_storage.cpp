#include <array>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "plan/checks.hpp"

namespace mtc::plan {
namespace {

using enum api::Category;
constexpr auto kProbeLimit = std::chrono::seconds(15);  ///< for the whole test of a bucket; a user waits for it
constexpr std::array kProviders = {"aws", "azure", "gcp"};

bool is_provider(const std::string& name) { return std::ranges::find(kProviders, name) != kProviders.end(); }
bool is_web_url(const std::string& url) {
  return url.empty() || url.starts_with("http://") || url.starts_with("https://");
}

void refuse(api::Conditions* conditions, std::string type, std::string reason, std::string message,
            std::vector<std::string> items = {}) {
  conditions->set({.type = std::move(type),
                   .category = kCritical,
                   .reason = std::move(reason),
                   .message = std::move(message),
                   .items = std::move(items)});
}

/// The names of settings that are wrong (spec config-controllers.md §5.2).
Task<std::vector<std::string>> wrong_settings(kube::ClientPtr host, api::MigStorage storage) {
  std::vector<std::string> wrong;
  if (storage.provider != "aws") co_return wrong;
  const auto id = co_await secret_value(host, storage.credentials, "aws-access-key-id");
  const auto key = co_await secret_value(host, storage.credentials, "aws-secret-access-key");
  if (!id || id->empty() || !key || key->empty()) wrong.emplace_back("Secret(content)");
  if (storage.bucket.empty()) wrong.emplace_back("Bucket");
  if (storage.signature_version != "" && storage.signature_version != "1" && storage.signature_version != "4")
    wrong.emplace_back("SignatureVersion");
  if (!is_web_url(storage.url)) wrong.emplace_back("S3URL");
  if (!is_web_url(storage.public_url)) wrong.emplace_back("PublicURL");
  co_return wrong;
}

/// False if there is no use in trying the bucket.
Task<bool> check_backup_settings(kube::ClientPtr host, api::MigStorage storage, api::Conditions* conditions) {
  if (storage.provider.empty()) {
    refuse(conditions, "InvalidBackupStorageProvider", "NotSet",
           "The `backupStorageProvider` must be set: aws, azure or gcp.");
    co_return false;
  }
  if (!is_provider(storage.provider)) {
    refuse(conditions, "InvalidBackupStorageProvider", "NotSupported",
           fmt::format("The `backupStorageProvider` \"{}\" is none of aws, azure, gcp.", storage.provider));
    co_return false;
  }
  if (!storage.credentials.set()) {
    refuse(conditions, "InvalidBackupStorageCredsSecretRef", "NotSet",
           "The `backupStorageConfig.credsSecretRef` must name a Secret and its namespace.");
    co_return false;
  }
  if (!co_await host->get(kube::types::secrets(), {storage.credentials.ns, storage.credentials.name})) {
    refuse(conditions, "InvalidBackupStorageCredsSecretRef", "NotFound",
           fmt::format("The `backupStorageConfig.credsSecretRef` must name a Secret that exists, subject: {}.",
                       storage.credentials.str()));
    co_return false;
  }
  const auto wrong = co_await wrong_settings(host, storage);
  if (!wrong.empty()) {
    refuse(conditions, "InvalidBackupStorageSettings", "NotSupported",
           "The `backupStorageConfig` settings [] are not valid.", wrong);
    co_return false;
  }
  co_return true;
}

Task<void> check_snapshot_settings(kube::ClientPtr host, api::MigStorage storage, api::Conditions* conditions) {
  if (storage.snapshot_provider.empty()) co_return;
  if (!is_provider(storage.snapshot_provider)) {
    refuse(conditions, "InvalidVolumeSnapshotProvider", "NotSupported",
           fmt::format("The `volumeSnapshotProvider` \"{}\" is none of aws, azure, gcp.", storage.snapshot_provider));
    co_return;
  }
  if (!storage.snapshot_credentials.set()) {
    refuse(conditions, "InvalidVolumeSnapshotCredsSecretRef", "NotSet",
           "The `volumeSnapshotConfig.credsSecretRef` must name a Secret and its namespace.");
  } else if (!co_await host->get(kube::types::secrets(),
                                 {storage.snapshot_credentials.ns, storage.snapshot_credentials.name})) {
    refuse(conditions, "InvalidVolumeSnapshotCredsSecretRef", "NotFound",
           fmt::format("The `volumeSnapshotConfig.credsSecretRef` must name a Secret that exists, subject: {}.",
                       storage.snapshot_credentials.str()));
  } else if (!storage.snapshot_timeout.empty() && !parse_go_duration(storage.snapshot_timeout)) {
    refuse(conditions, "InvalidVolumeSnapshotSettings", "NotSupported",
           "The `volumeSnapshotConfig` settings [] are not valid.", {"SnapshotCreationTimeout"});
  }
}

}  // namespace

Task<void> check_storage(Connections* connections, api::MigStorage storage, api::Conditions* conditions,
                         std::string unique_name) {
  const auto host = connections->host();
  const bool usable = co_await check_backup_settings(host, storage, conditions);
  co_await check_snapshot_settings(host, storage, conditions);
  if (!usable || conditions->blocked()) co_return;
  std::optional<Error> failure;
  try {
    const auto store = co_await connections->storage(storage);
    co_await async::with_timeout(kProbeLimit, "test the bucket", blob::probe(*store, "", std::move(unique_name)));
  } catch (const Error& error) {
    failure = error;
  }
  if (failure)
    refuse(conditions, "BackupStorageProviderTestFailed", "TestFailed",
           fmt::format("The test of the replication repository failed: {}.", failure->what()));
}

}  // namespace mtc::plan
