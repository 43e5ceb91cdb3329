#include "migrate/indirect/pod_volumes.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "backup/item_rules.hpp"
#include "base/strings.hpp"
#include "migrate/indirect/staging.hpp"
#include "migrate/steps/velero_objects.hpp"
#include "plan/repositories.hpp"

namespace mtc::migrate::indirect {
namespace {

constexpr auto kUploader = "restic";

/// What the two kinds have in common. `parent` is the Backup or Restore, `claim` that of the object's own side.
Json pod_volume(const Migration& m, const Json& parent, const api::PlanVolume& volume, const Json& claim) {
  const auto kind = string_at(parent, "kind");
  const bool is_backup = kind == "Backup";
  const auto key = kube::key_of(parent);
  auto labels = m.labels();
  labels[is_backup ? api::labels::kBackupName : api::labels::kRestoreName] = backup::label_value(key.name);
  labels[is_backup ? api::labels::kBackupUid : api::labels::kRestoreUid] = kube::uid_of(parent);
  labels[api::labels::kClaimUid] = kube::uid_of(claim);
  const Json owner = {{"apiVersion", "velero.io/v1"},
                      {"kind", kind},
                      {"name", key.name},
                      {"uid", kube::uid_of(parent)},
                      {"controller", true}};
  return {{"apiVersion", "velero.io/v1"},
          {"kind", "PodVolume" + kind},
          {"metadata",
           {{"namespace", api::kNamespace},
            {"name", pod_volume_name(parent, volume)},
            {"labels", std::move(labels)},
            {"annotations", {{api::annotations::kClaimName, kube::key_of(claim).name}}},
            {"ownerReferences", Json::array({owner})}}},
          {"spec",
           {{"pod", {{"kind", "Pod"}, {"namespace", kube::key_of(claim).ns}}},
            {"volume", volume.claim.name},
            {"repoIdentifier", repository_identifier(m, volume.claim.ns)},
            {"uploaderType", kUploader}}},
          {"status", taken_in_hand()}};
}

}  // namespace

Stand stand_of(const Json& pod_volume) {
  const auto phase = string_at(pod_volume, "status.phase");
  if (phase == "Completed") return Stand::kCompleted;
  if (phase == "Failed") return Stand::kFailed;
  return attempt_of(pod_volume) > 0 ? Stand::kActive : Stand::kWaiting;
}

std::int64_t attempt_of(const Json& pod_volume) {
  const auto text = kube::annotation(pod_volume, api::annotations::kAttempt);
  std::int64_t attempt = 0;
  std::from_chars(text.data(), text.data() + text.size(), attempt);
  return std::max<std::int64_t>(attempt, 0);
}

std::string snapshot_of(const Json& pod_volume) {
  return stand_of(pod_volume) == Stand::kCompleted ? string_at(pod_volume, "status.snapshotID") : "";
}

Json pod_volume_backup(const Migration& m, const Json& backup, const api::PlanVolume& volume, const Json& claim) {
  auto out = pod_volume(m, backup, volume, claim);
  out["spec"]["node"] = "";
  out["spec"]["backupStorageLocation"] = string_at(backup, "spec.storageLocation");
  out["spec"]["tags"] = {{"backup", kube::key_of(backup).name},
                         {"backup-uid", kube::uid_of(backup)},
                         {"ns", volume.claim.ns},
                         {"volume", volume.claim.name},
                         {"pvc-uid", kube::uid_of(claim)}};
  return out;
}

Json pod_volume_restore(const Migration& m, const Json& restore, const api::PlanVolume& volume, const Json& claim,
                        const Json& backed_up) {
  auto out = pod_volume(m, restore, volume, claim);
  out["spec"]["backupStorageLocation"] = string_at(backed_up, "spec.backupStorageLocation");
  out["spec"]["sourceNamespace"] = volume.claim.ns;
  out["spec"]["snapshotID"] = snapshot_of(backed_up);
  // What the snapshot lacks, the restored claim will lack.
  if (auto losses = kube::annotation(backed_up, api::annotations::kLosses); !losses.empty())
    out["metadata"]["annotations"][api::annotations::kLosses] = std::move(losses);
  return out;
}

std::string repository_identifier(const Migration& m, const std::string& source_namespace) {
  const auto& bucket = m.bucket;
  auto url = bucket.endpoint.empty() ? fmt::format("https://s3.{}.amazonaws.com", bucket.region) : bucket.endpoint;
  while (url.ends_with('/')) url.pop_back();
  return fmt::format("s3:{}/{}/{}", url, bucket.bucket, plan::repository_prefix(m.plan.uid, source_namespace));
}

std::string line_of(const Json& pod_volume, Time now) {
  const auto kind = string_at(pod_volume, "kind");
  const bool is_backup = kind == "PodVolumeBackup";
  const auto name = kube::key_of(pod_volume).str();
  const auto phase = string_at(pod_volume, "status.phase");
  if (string_at(pod_volume, "status.startTimestamp").empty())
    return fmt::format("{} {}: Waiting for ongoing volume {}(s) to complete", kind, name,
                       is_backup ? "backup" : "restore");
  // The original writes it so, and only for this kind.
  const auto* completed = phase == "Completed" && !is_backup ? "Completed" : "";
  return fmt::format("{}{} {}: {}{} out of {} {} {}", kind, completed, name, phase == "Failed" ? "Failed. " : "",
                     bytes_text(int_at(pod_volume, "status.progress.bytesDone").value_or(0)),
                     bytes_text(int_at(pod_volume, "status.progress.totalBytes").value_or(0)),
                     is_backup ? "backed up" : "restored", elapsed(pod_volume, now));
}

}  // namespace mtc::migrate::indirect
