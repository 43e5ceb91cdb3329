#include "sandbox/snapshots.hpp"

#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "kube/quantity.hpp"
#include "sandbox/controller_tools.hpp"
#include "sandbox/storage_class.hpp"
#include "sandbox/volumes.hpp"

namespace mtc::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr auto kGroup = "snapshot.storage.k8s.io";
constexpr auto kSnapshots = "volumesnapshots.snapshot.storage.k8s.io";
constexpr auto kContents = "volumesnapshotcontents.snapshot.storage.k8s.io";
constexpr auto kClasses = "volumesnapshotclasses.snapshot.storage.k8s.io";
constexpr auto kSnapshotBound = "snapshot.storage.kubernetes.io/volumesnapshot-bound-protection";
constexpr auto kContentBound = "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection";
constexpr auto kController = "snapshot-controller";

bool is_default(const Json& snapshot_class) {
  const auto* value =
      member(object_at(snapshot_class, "metadata.annotations"), "snapshot.storage.kubernetes.io/is-default-class");
  return value != nullptr && *value == "true";
}

/// The class that a snapshot names, or else the default one of this driver; null if there is none.
ObjectPtr class_of_snapshot(const Storage& storage, const Json& snapshot) {
  if (const auto name = string_at(snapshot, "spec.volumeSnapshotClassName"); !name.empty())
    return storage.get({kClasses, "", name});
  for (const auto& candidate : storage.list(kClasses, "")) {
    if (is_default(*candidate) && string_at(*candidate, "driver") == kCsiDriver) return candidate;
  }
  return nullptr;
}

std::string bound_content(const Json& snapshot) { return string_at(snapshot, "status.boundVolumeSnapshotContentName"); }

Json reference_to(const Json& snapshot) {
  return {{"apiVersion", string_at(snapshot, "apiVersion")},
          {"kind", "VolumeSnapshot"},
          {"namespace", ns_of(snapshot)},
          {"name", name_of(snapshot)},
          {"uid", uid_of(snapshot)}};
}

}  // namespace

ResourcePtr Snapshots::served(const char* plural) const { return objects_.resources().find(kGroup, "v1", plural); }

void Snapshots::look() {
  snapshots_ = served("volumesnapshots");
  contents_ = served("volumesnapshotcontents");
  if (!snapshots_ || !contents_) return;
  for (const auto& snapshot : objects_.storage().list(kSnapshots, "")) {
    if (!is_ours(*snapshot)) continue;
    try {
      on_snapshot(*snapshot);
    } catch (const Error& error) {
      refuse(*snapshot, error.what());
    }
  }
  for (const auto& content : objects_.storage().list(kContents, "")) {
    if (string_at(*content, "spec.driver") == kCsiDriver) on_content(*content);
  }
}

bool Snapshots::is_ours(const Json& snapshot) const {
  const auto snapshot_class = class_of_snapshot(objects_.storage(), snapshot);
  if (snapshot_class) return string_at(*snapshot_class, "driver") == kCsiDriver;
  const auto content = objects_.storage().get({kContents, "", bound_content(snapshot)});
  return content && string_at(*content, "spec.driver") == kCsiDriver;
}

void Snapshots::on_snapshot(const Json& snapshot) {
  if (is_leaving(snapshot)) return let_go(snapshot);
  if (bool_at(snapshot, "status.readyToUse")) return;
  add_finalizer(objects_, *snapshots_, snapshot, kSnapshotBound);
  const auto now = objects_.storage().get({kSnapshots, ns_of(snapshot), name_of(snapshot)});
  if (now) take(*now);
}

void Snapshots::take(const Json& snapshot) {
  const auto handle = "snapshot-" + uid_of(snapshot);
  if (copies_.ensure(source_of(snapshot), folder_.snapshot(handle))) publish(snapshot, handle);
}

fs::path Snapshots::source_of(const Json& snapshot) const {
  const auto name = string_at(snapshot, "spec.source.persistentVolumeClaimName");
  const auto claim = objects_.storage().get({"persistentvolumeclaims", ns_of(snapshot), name});
  if (!claim) throw Error(Code::kNotFound, fmt::format("there is no persistentvolumeclaim \"{}\" to be taken", name));
  const auto volume = objects_.storage().get({"persistentvolumes", "", string_at(*claim, "spec.volumeName")});
  if (!volume || string_at(*volume, "spec.csi.driver") != kCsiDriver) {
    throw Error(Code::kUnsupported,
                fmt::format("persistentvolumeclaim \"{}\" has no volume of driver {}", name, kCsiDriver));
  }
  return sandbox::directory_of(*volume, folder_);
}

void Snapshots::publish(const Json& snapshot, const std::string& handle) {
  const auto name = "snapcontent-" + uid_of(snapshot);
  const auto snapshot_class = class_of_snapshot(objects_.storage(), snapshot);
  const auto claim = objects_.storage().get(
      {"persistentvolumeclaims", ns_of(snapshot), string_at(snapshot, "spec.source.persistentVolumeClaimName")});
  const auto size = claim ? string_at(*claim, "status.capacity.storage") : "";
  const auto now = objects_.clock().now();
  const auto policy = snapshot_class ? string_at(*snapshot_class, "deletionPolicy") : "";
  try_create(objects_, *contents_, "",
             {{"apiVersion", string_at(snapshot, "apiVersion")},
              {"kind", "VolumeSnapshotContent"},
              {"metadata", {{"name", name}, {"finalizers", Json::array({kContentBound})}}},
              {"spec",
               {{"deletionPolicy", policy.empty() ? "Delete" : policy},
                {"driver", kCsiDriver},
                {"source", {{"volumeHandle", claim ? string_at(*claim, "spec.volumeName") : ""}}},
                {"volumeSnapshotClassName", snapshot_class ? name_of(*snapshot_class) : ""},
                {"volumeSnapshotRef", reference_to(snapshot)}}}});
  const auto content = objects_.storage().get({kContents, "", name});
  if (!content) return;
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  set_status(objects_, *contents_, *content,
             {{"snapshotHandle", handle},
              {"creationTime", nanoseconds},
              {"readyToUse", true},
              {"restoreSize", static_cast<std::int64_t>(kube::quantity(size))}},
             kController);
  set_status(objects_, *snapshots_, snapshot,
             {{"boundVolumeSnapshotContentName", name},
              {"creationTime", rfc3339(now)},
              {"readyToUse", true},
              {"restoreSize", size}},
             kController);
}

/// The content goes first, unless it shall be kept.
void Snapshots::let_go(const Json& snapshot) {
  const auto content = objects_.storage().get({kContents, "", bound_content(snapshot)});
  if (content && string_at(*content, "spec.deletionPolicy") == "Delete") {
    if (!is_leaving(*content)) objects_.remove(*contents_, "", name_of(*content), Json::object());
    return;
  }
  const auto target = folder_.snapshot("snapshot-" + uid_of(snapshot));
  if (copies_.runs(target)) return;
  if (!content) folder_.discard(target);  // of one that was never ready
  drop_finalizer(objects_, *snapshots_, snapshot, kSnapshotBound);
}

void Snapshots::on_content(const Json& content) {
  if (!is_leaving(content)) return;
  const auto snapshot = objects_.storage().get({kSnapshots, string_at(content, "spec.volumeSnapshotRef.namespace"),
                                                string_at(content, "spec.volumeSnapshotRef.name")});
  const bool is_bound = snapshot && uid_of(*snapshot) == string_at(content, "spec.volumeSnapshotRef.uid");
  if (is_bound && !is_leaving(*snapshot)) return;
  const auto handle = string_at(content, "status.snapshotHandle");
  if (string_at(content, "spec.deletionPolicy") == "Delete" && !handle.empty())
    folder_.discard(folder_.snapshot(handle));
  drop_finalizer(objects_, *contents_, content, kContentBound);
}

void Snapshots::refuse(const Json& snapshot, const std::string& why) {
  if (string_at(snapshot, "status.error.message") == why) return;
  auto status = object_at(snapshot, "status");
  status["readyToUse"] = false;
  status["error"] = {{"message", why}, {"time", rfc3339(objects_.clock().now())}};
  set_status(objects_, *snapshots_, snapshot, std::move(status), kController);
}

fs::path Snapshots::directory_of(const std::string& ns, const std::string& name) const {
  const auto snapshot = objects_.storage().get({kSnapshots, ns, name});
  const auto content = snapshot ? objects_.storage().get({kContents, "", bound_content(*snapshot)}) : nullptr;
  const auto handle = content ? string_at(*content, "status.snapshotHandle") : "";
  if (!snapshot || !bool_at(*snapshot, "status.readyToUse") || handle.empty())
    throw Error(Code::kNotFound, fmt::format("snapshot {}/{} is not ready", ns, name));
  return folder_.snapshot(handle);
}

}  // namespace mtc::sandbox
