#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/yaml.hpp"
#include "sandbox/testing/embedded.hpp"
#include "sandbox/testing/snapshot_kinds.hpp"

namespace mtc::sandbox {
namespace {

namespace fs = std::filesystem;
namespace types = kube::types;
using testing::has;
using testing::in_default;
using testing::when;
using testing::when_gone;
using testing::when_told;

constexpr auto kDriver = "directories.sandbox.mtc";

const auto is_bound = has("status.phase", "Bound");

Json claim(const std::string& name, const std::string& snapshot = "") {
  auto out = in_default(name,
                        "{spec: {accessModes: [ReadWriteOnce], storageClassName: files, resources: {requests: "
                        "{storage: 1Gi}}}}");
  if (!snapshot.empty()) {
    out["spec"]["dataSource"] = {
        {"apiGroup", "snapshot.storage.k8s.io"}, {"kind", "VolumeSnapshot"}, {"name", snapshot}};
  }
  return out;
}

Json snapshot(const std::string& name, const std::string& of, const std::string& snapshot_class = "files") {
  return {{"metadata", {{"namespace", "default"}, {"name", name}}},
          {"spec", {{"volumeSnapshotClassName", snapshot_class}, {"source", {{"persistentVolumeClaimName", of}}}}}};
}

/// A cluster whose CSI driver can take snapshots, and a bound claim "data".
void on_cluster_with_snapshots(std::function<Task<void>(kube::ClientPtr, fs::path files)> body) {
  const testing::StateFile state;
  const fs::path files = state.path() + ".files";
  testing::on_cluster({.state = state.path()}, [&](Cluster* cluster) {
    return [](kube::ClientPtr client, fs::path folder, auto run) -> Task<void> {
      co_await testing::serve_snapshots(client);
      co_await client->create(types::storage_classes(), {{"metadata", {{"name", "files"}}}, {"provisioner", kDriver}});
      co_await client->create(types::volume_snapshot_classes(), testing::snapshot_class("files", kDriver));
      co_await client->create(types::persistent_volume_claims(), claim("data"));
      co_await when(client, types::persistent_volume_claims(), "data", is_bound);
      co_await run(client, folder);
    }(cluster->client(), files, body);
  });
}

Task<fs::path> directory_of_claim(kube::ClientPtr client, fs::path files, std::string name) {
  const auto bound = co_await when(client, types::persistent_volume_claims(), name, is_bound);
  const auto volume = co_await client->get(types::persistent_volumes(), {"", string_at(bound, "spec.volumeName")});
  EXPECT_EQ(string_at(*volume, "spec.csi.driver"), kDriver);
  co_return files / "volumes" / string_at(*volume, "spec.csi.volumeHandle");
}

Task<Json> ready(kube::ClientPtr client, std::string name) {
  co_return co_await when(client, types::volume_snapshots(), name,
                          [](const Json& object) { return bool_at(object, "status.readyToUse"); });
}

std::string content_of(const fs::path& path) {
  std::string out;
  std::ifstream(path) >> out;
  return out;
}

Task<void> lifetime(kube::ClientPtr client, fs::path files) {
  const auto source = co_await directory_of_claim(client, files, "data");
  std::ofstream(source / "file") << "then";
  fs::create_hard_link(source / "file", source / "hard");
  EXPECT_EQ(mkfifo((source / "fifo").c_str(), 0640), 0);
  co_await client->create(types::volume_snapshots(), snapshot("s", "data"));
  const auto taken = co_await ready(client, "s");
  EXPECT_EQ(string_at(taken, "status.restoreSize"), "1Gi");
  std::ofstream(source / "file") << "now!";
  co_await client->create(types::persistent_volume_claims(), claim("copy", "s"));
  const auto copy = co_await directory_of_claim(client, files, "copy");
  EXPECT_EQ(content_of(copy / "file"), "then");
  EXPECT_EQ(fs::hard_link_count(copy / "hard"), 2U);
  EXPECT_TRUE(fs::is_fifo(copy / "fifo"));
  EXPECT_EQ(content_of(source / "file"), "now!");
  const auto content = string_at(taken, "status.boundVolumeSnapshotContentName");
  EXPECT_TRUE(co_await client->get(types::volume_snapshot_contents(), {"", content}));
  co_await client->remove(types::volume_snapshots(), {"default", "s"});
  co_await when_gone(client, types::volume_snapshots(), "s");
  co_await when_gone(client, types::volume_snapshot_contents(), content);
  EXPECT_TRUE(fs::is_empty(files / "snapshots"));
  EXPECT_EQ(content_of(copy / "file"), "then") << "a claim is its own once it is made";
}

TEST(Snapshots, AreCopiesFromWhichClaimsBegin) { on_cluster_with_snapshots(lifetime); }

Task<void> retained(kube::ClientPtr client, fs::path files) {
  auto keep = testing::snapshot_class("keep", kDriver);
  keep["deletionPolicy"] = "Retain";
  co_await client->create(types::volume_snapshot_classes(), keep);
  co_await client->create(types::volume_snapshots(), snapshot("s", "data", "keep"));
  const auto content = string_at(co_await ready(client, "s"), "status.boundVolumeSnapshotContentName");
  co_await client->remove(types::volume_snapshots(), {"default", "s"});
  co_await when_gone(client, types::volume_snapshots(), "s");
  EXPECT_TRUE(co_await client->get(types::volume_snapshot_contents(), {"", content}));
  EXPECT_FALSE(fs::is_empty(files / "snapshots"));
}

TEST(Snapshots, StayIfTheirClassSaysRetain) { on_cluster_with_snapshots(retained); }

Json device(const std::string& name, const std::string& snapshot = "") {
  auto out = claim(name, snapshot);
  out["spec"]["volumeMode"] = "Block";
  out["spec"]["resources"]["requests"]["storage"] = "1Mi";
  return out;
}

Task<void> of_devices(kube::ClientPtr client, fs::path files) {
  co_await client->create(types::persistent_volume_claims(), device("disk"));
  const auto source = co_await directory_of_claim(client, files, "disk");
  const auto write = [&source](std::string_view text) { std::fstream(source, std::ios::in | std::ios::out) << text; };
  write("then");
  co_await client->create(types::volume_snapshots(), snapshot("s", "disk"));
  co_await ready(client, "s");
  write("now!");
  co_await client->create(types::persistent_volume_claims(), device("copy", "s"));
  const auto copy = co_await directory_of_claim(client, files, "copy");
  EXPECT_EQ(content_of(copy).substr(0, 4), "then");
  EXPECT_EQ(fs::file_size(copy), 1024U * 1024);
  co_await client->create(types::persistent_volume_claims(), claim("tree", "s"));
  co_await when_told(client, "tree", "snapshot s is of a volume of another volumeMode");
}

TEST(Snapshots, AreOfDevicesToo) { on_cluster_with_snapshots(of_devices); }

Task<void> impossible(kube::ClientPtr client, fs::path) {
  co_await client->create(types::volume_snapshots(), snapshot("of-none", "nothing"));
  const auto refused = co_await when(client, types::volume_snapshots(), "of-none", [](const Json& object) {
    return !string_at(object, "status.error.message").empty();
  });
  EXPECT_THAT(string_at(refused, "status.error.message"), ::testing::HasSubstr("no persistentvolumeclaim \"nothing\""));
  EXPECT_FALSE(bool_at(refused, "status.readyToUse"));
  co_await client->create(types::persistent_volume_claims(), claim("copy", "of-none"));
  co_await when_told(client, "copy", "snapshot default/of-none is not ready");
  co_await client->remove(types::volume_snapshots(), {"default", "of-none"});
  co_await when_gone(client, types::volume_snapshots(), "of-none");
  co_await client->create(types::volume_snapshot_classes(), testing::snapshot_class("theirs", "example.com/disk"));
  co_await client->create(types::volume_snapshots(), snapshot("of-another", "data", "theirs"));
  co_await client->create(types::volume_snapshots(), snapshot("ours", "data"));
  co_await ready(client, "ours");
  const auto other = co_await client->get(types::volume_snapshots(), {"default", "of-another"});
  EXPECT_FALSE(other->contains("status")) << "another driver's";
}

TEST(Snapshots, SayWhyTheyCannotBe) { on_cluster_with_snapshots(impossible); }

}  // namespace
}  // namespace mtc::sandbox
