#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/yaml.hpp"
#include "sandbox/testing/embedded.hpp"
#include "sandbox/testing/helpers.hpp"

namespace mtc::sandbox {
namespace {

namespace fs = std::filesystem;
namespace types = kube::types;
using kube::annotation;
using testing::failure_of;
using testing::has;
using ::testing::HasSubstr;
using testing::in_default;
using testing::on_cluster;
using testing::StateFile;
using testing::when;
using testing::when_gone;
using testing::when_told;

/// `more` are further fields of the spec, in flow YAML.
Json claim(const std::string& name, const std::string& more = "{}") {
  auto out = in_default(name, "{spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}");
  out["spec"].update(parse_yaml_one(more));
  return out;
}

Json volume(const std::string& name, const std::string& size, const std::string& more = "{}") {
  Json out = {{"metadata", {{"name", name}}},
              {"spec",
               {{"capacity", {{"storage", size}}},
                {"accessModes", {"ReadWriteOnce", "ReadWriteMany"}},
                {"storageClassName", "manual"},
                {"hostPath", {{"path", "/nowhere/" + name}}}}}};
  out["spec"].update(parse_yaml_one(more));
  return out;
}

Json pod(const std::string& name, const std::string& claim_name, const std::string& container = "") {
  return in_default(name, "{spec: {containers: [{name: a, image: shop/web, " + container +
                              "}], volumes: [{name: v, persistentVolumeClaim: {claimName: " + claim_name + "}}]}}");
}

const auto is_bound = has("status.phase", "Bound");

Task<std::string> name_of_volume(kube::ClientPtr client, std::string claim_name) {
  co_return string_at(co_await when(client, types::persistent_volume_claims(), claim_name, is_bound),
                      "spec.volumeName");
}

Task<void> lifetime(Cluster* cluster) {
  const auto client = cluster->client();
  const auto made = co_await client->create(types::persistent_volume_claims(), claim("data"));
  EXPECT_EQ(string_at(made, "spec.storageClassName"), "standard");
  const auto bound = co_await when(client, types::persistent_volume_claims(), "data", is_bound);
  EXPECT_EQ(annotation(bound, "pv.kubernetes.io/bind-completed"), "yes");
  EXPECT_EQ(annotation(bound, "volume.kubernetes.io/storage-provisioner"), "sandbox.mtc/directory");
  EXPECT_EQ(string_at(bound, "status.capacity.storage"), "1Gi");
  const auto name = string_at(bound, "spec.volumeName");
  EXPECT_EQ(name, "pvc-" + kube::uid_of(bound));
  const auto held = co_await when(client, types::persistent_volumes(), name, is_bound);
  EXPECT_EQ(string_at(held, "spec.claimRef.uid"), kube::uid_of(bound));
  EXPECT_EQ(string_at(held, "spec.persistentVolumeReclaimPolicy"), "Delete");
  const fs::path directory = string_at(held, "spec.hostPath.path");
  EXPECT_TRUE(fs::is_directory(directory));
  std::ofstream(directory / "file") << "content";
  co_await client->remove(types::persistent_volume_claims(), {"default", "data"});
  co_await when_gone(client, types::persistent_volume_claims(), "data");
  co_await when_gone(client, types::persistent_volumes(), name);
  EXPECT_FALSE(fs::exists(directory));
}

TEST(Volumes, AreDirectoriesThatLiveAsLongAsTheirClaims) { on_cluster({}, lifetime); }

Task<void> device(Cluster* cluster) {
  const auto client = cluster->client();
  co_await client->create(types::persistent_volume_claims(), claim("raw", "{volumeMode: Block}"));
  const auto name = co_await name_of_volume(client, "raw");
  const auto held = co_await when(client, types::persistent_volumes(), name, is_bound);
  EXPECT_EQ(string_at(held, "spec.volumeMode"), "Block");
  const fs::path file = string_at(held, "spec.hostPath.path");
  EXPECT_TRUE(fs::is_regular_file(file));
  EXPECT_EQ(fs::file_size(file), 1U << 30U);
  struct stat is{};
  EXPECT_EQ(::stat(file.c_str(), &is), 0);
  EXPECT_EQ(is.st_blocks, 0) << "nothing was written to it";
  co_await client->create(types::pods(), pod("mounts", "raw", "volumeMounts: [{name: v, mountPath: /v}]"));
  co_await when_told(client, "mounts", "volume v has volumeMode Block, but is specified in volumeMounts");
  co_await client->create(types::pods(), pod("uses", "raw", "volumeDevices: [{name: v, devicePath: /dev/v}]"));
  co_await when(client, types::pods(), "uses", has("status.phase", "Running"));
  const auto wrong = co_await client->get(types::pods(), {"default", "mounts"});
  EXPECT_EQ(string_at(*wrong, "status.phase"), "Pending");
  for (const auto* each : {"mounts", "uses"}) co_await client->remove(types::pods(), {"default", each});
  co_await client->remove(types::persistent_volume_claims(), {"default", "raw"});
  co_await when_gone(client, types::persistent_volumes(), name);
  EXPECT_FALSE(fs::exists(file));
}

TEST(Volumes, AreFilesIfTheirClaimsWantDevices) { on_cluster({}, device); }

/// Of a class whose volumes grow if `grows`.
Task<void> make_class(kube::ClientPtr client, std::string name, bool grows) {
  co_await client->create(
      types::storage_classes(),
      {{"metadata", {{"name", name}}}, {"provisioner", "sandbox.mtc/directory"}, {"allowVolumeExpansion", grows}});
}

Task<Json> ask_for(kube::ClientPtr client, std::string name, std::string size) {
  const Json patch = {{"spec", {{"resources", {{"requests", {{"storage", size}}}}}}}};
  co_return co_await client->patch(types::persistent_volume_claims(), {"default", name}, kube::PatchKind::kMerge,
                                   patch);
}

Task<void> growing(Cluster* cluster) {
  const auto client = cluster->client();
  co_await make_class(client, "growing", true);
  co_await client->create(types::persistent_volume_claims(),
                          claim("disk",
                                "{storageClassName: growing, volumeMode: Block, resources: {requests: "
                                "{storage: 1Mi}}}"));
  const auto name = co_await name_of_volume(client, "disk");
  co_await ask_for(client, "disk", "2Mi");
  co_await when(client, types::persistent_volume_claims(), "disk", has("status.capacity.storage", "2Mi"));
  const auto held = co_await when(client, types::persistent_volumes(), name, has("spec.capacity.storage", "2Mi"));
  EXPECT_EQ(fs::file_size(string_at(held, "spec.hostPath.path")), 2U << 20);
}

TEST(Volumes, GrowWithTheirClaims) { on_cluster({}, growing); }

Task<void> not_growing(Cluster* cluster) {
  const auto client = cluster->client();
  co_await make_class(client, "fixed", false);
  co_await client->create(types::persistent_volume_claims(), claim("data", "{storageClassName: fixed}"));
  co_await when(client, types::persistent_volume_claims(), "data", is_bound);
  const auto refused = co_await failure_of(ask_for(client, "data", "2Gi"));
  EXPECT_EQ(refused->code(), Code::kForbidden);
  EXPECT_THAT(refused->message(), HasSubstr("the storageclass that provisions the pvc must support resize"));
  co_await client->create(types::persistent_volume_claims(), claim("waiting", "{storageClassName: none-such}"));
  EXPECT_EQ((co_await failure_of(ask_for(client, "waiting", "2Gi")))->code(), Code::kInvalid);
}

TEST(Volumes, DoNotGrowUnlessTheirClassSaysSoAndTheyAreThere) { on_cluster({}, not_growing); }

Task<void> retained(Cluster* cluster) {
  const auto client = cluster->client();
  co_await client->create(
      types::storage_classes(),
      {{"metadata", {{"name", "keep"}}}, {"provisioner", "sandbox.mtc/directory"}, {"reclaimPolicy", "Retain"}});
  co_await client->create(types::persistent_volume_claims(), claim("data", "{storageClassName: keep}"));
  const auto name = co_await name_of_volume(client, "data");
  co_await client->remove(types::persistent_volume_claims(), {"default", "data"});
  const auto left = co_await when(client, types::persistent_volumes(), name, has("status.phase", "Released"));
  const fs::path directory = string_at(left, "spec.hostPath.path");
  EXPECT_TRUE(fs::is_directory(directory));
  co_await client->remove(types::persistent_volumes(), {"", name});
  co_await when_gone(client, types::persistent_volumes(), name);
  EXPECT_TRUE(fs::is_directory(directory));
}

TEST(Volumes, StayIfTheirClassSaysRetain) { on_cluster({}, retained); }

Task<void> hopeless(Cluster* cluster) {
  const auto client = cluster->client();
  for (const auto& one : {claim("lost", "{storageClassName: none}"), claim("bare", "{storageClassName: ''}")})
    co_await client->create(types::persistent_volume_claims(), one);
  co_await when_told(client, "lost", "storageclass.storage.k8s.io \"none\" not found");
  co_await when_told(client, "bare", "no persistent volumes available for this claim and no storage class is set");
  for (const auto* name : {"lost", "bare"})
    co_await when(client, types::persistent_volume_claims(), name, has("status.phase", "Pending"));
}

TEST(Volumes, AreNotMadeForClaimsThatCannotHaveThem) { on_cluster({}, hopeless); }

Task<void> found(Cluster* cluster) {
  const auto client = cluster->client();
  for (const auto& one : {volume("large", "10Gi"), volume("right", "1Gi"), volume("small", "100Mi"),
                          volume("blocks", "1Gi", "{volumeMode: Block}")})
    co_await client->create(types::persistent_volumes(), one);
  co_await when(client, types::persistent_volumes(), "large", has("status.phase", "Available"));
  co_await client->create(types::persistent_volume_claims(), claim("a", "{storageClassName: manual}"));
  EXPECT_EQ(co_await name_of_volume(client, "a"), "right");
  co_await client->create(types::persistent_volume_claims(), claim("b", "{storageClassName: manual}"));
  EXPECT_EQ(co_await name_of_volume(client, "b"), "large");
  // What the cluster has not made it does not delete either.
  co_await client->patch(types::persistent_volumes(), {"", "right"}, kube::PatchKind::kMerge,
                         {{"spec", {{"persistentVolumeReclaimPolicy", "Delete"}}}});
  co_await client->remove(types::persistent_volume_claims(), {"default", "a"});
  const auto left = co_await when(client, types::persistent_volumes(), "right", has("status.phase", "Failed"));
  EXPECT_THAT(string_at(left, "status.message"), ::testing::HasSubstr("it stays"));
}

TEST(Volumes, ThatFitAreTakenSmallestFirst) { on_cluster({}, found); }

Task<void> named(Cluster* cluster) {
  const auto client = cluster->client();
  co_await client->create(types::persistent_volumes(), volume("mine", "1Gi"));
  co_await client->create(types::persistent_volumes(), volume("small", "1Mi"));
  co_await client->create(types::persistent_volumes(),
                          volume("set-aside", "1Gi", "{claimRef: {namespace: default, name: expected}}"));
  const auto wish = [](const std::string& name, const std::string& of) {
    return claim(name, "{storageClassName: manual, volumeName: " + of + "}");
  };
  co_await client->create(types::persistent_volume_claims(), wish("a", "mine"));
  EXPECT_EQ(co_await name_of_volume(client, "a"), "mine");
  co_await client->create(types::persistent_volume_claims(), wish("b", "mine"));
  co_await when_told(client, "b", "volume \"mine\" already bound to a different claim.");
  co_await client->create(types::persistent_volume_claims(), wish("c", "small"));
  co_await when_told(client, "c", "Cannot bind to requested volume \"small\": requested PV is too small");
  co_await client->create(types::persistent_volume_claims(), claim("expected", "{storageClassName: manual}"));
  EXPECT_EQ(co_await name_of_volume(client, "expected"), "set-aside");
}

TEST(Volumes, CanBeAskedForByName) { on_cluster({}, named); }

Task<void> vanished(Cluster* cluster) {
  const auto client = cluster->client();
  co_await client->create(types::persistent_volume_claims(), claim("data"));
  const auto name = co_await name_of_volume(client, "data");
  co_await client->remove(types::persistent_volumes(), {"", name});
  // In use, it only leaves.
  co_await when(client, types::persistent_volumes(), name,
                [](const Json& object) { return !string_at(object, "metadata.deletionTimestamp").empty(); });
  co_await client->patch(types::persistent_volumes(), {"", name}, kube::PatchKind::kMerge,
                         {{"metadata", {{"finalizers", nullptr}}}});
  co_await when(client, types::persistent_volume_claims(), "data", has("status.phase", "Lost"));
}

TEST(Volumes, ThatVanishLeaveALostClaim) { on_cluster({}, vanished); }

Task<void> awaited(Cluster* cluster) {
  const auto client = cluster->client();
  co_await client->create(types::pods(), pod("web", "data"));
  co_await when_told(client, "web", "persistentvolumeclaim \"data\" not found.");
  co_await client->create(types::persistent_volume_claims(), claim("data", "{storageClassName: later}"));
  co_await when_told(client, "web", "pod has unbound immediate PersistentVolumeClaims.");
  const auto waiting = co_await client->get(types::pods(), {"default", "web"});
  EXPECT_EQ(string_at(*waiting, "status.phase"), "Pending");
  co_await client->create(types::storage_classes(), {{"metadata", {{"name", "later"}}},
                                                     {"provisioner", "sandbox.mtc/directory"},
                                                     {"volumeBindingMode", "WaitForFirstConsumer"}});
  co_await when(client, types::pods(), "web", has("status.phase", "Running"));
  // A claim that a pod uses stays until the pod is gone.
  co_await client->remove(types::persistent_volume_claims(), {"default", "data"});
  const auto used = co_await client->get(types::persistent_volume_claims(), {"default", "data"});
  EXPECT_TRUE(used);
  co_await client->remove(types::pods(), {"default", "web"});
  co_await when_gone(client, types::persistent_volume_claims(), "data");
}

TEST(Volumes, AreWaitedForByPodsAndKeptForThem) { on_cluster({}, awaited); }

Task<void> of_stateful_sets(Cluster* cluster) {
  const auto client = cluster->client();
  co_await client->create(
      types::stateful_sets(),
      in_default("db",
                 "{spec: {replicas: 2, serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: "
                 "{labels: {app: db}}, spec: {containers: [{name: a, image: shop/db}]}}, volumeClaimTemplates: "
                 "[{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: "
                 "1Gi}}}}]}}"));
  co_await when(client, types::stateful_sets(), "db",
                [](const Json& set) { return int_at(set, "status.readyReplicas") == 2; });
  const auto one = co_await when(client, types::persistent_volume_claims(), "data-db-1", is_bound);
  EXPECT_EQ(kube::label(one, "app"), "db");
  const auto member = co_await client->get(types::pods(), {"default", "db-1"});
  EXPECT_EQ(string_at(array_at(*member, "spec.volumes").at(0), "persistentVolumeClaim.claimName"), "data-db-1");
}

TEST(Volumes, AreMadeForStatefulSets) { on_cluster({}, of_stateful_sets); }

TEST(Volumes, SurviveWithTheStateFile) {
  const StateFile state;
  fs::path directory;
  on_cluster({.state = state.path()}, [&directory](Cluster* cluster) {
    return [](kube::ClientPtr client, fs::path* out) -> Task<void> {
      co_await client->create(types::persistent_volume_claims(), claim("data"));
      const auto name = co_await name_of_volume(client, "data");
      const auto held = co_await client->get(types::persistent_volumes(), {"", name});
      *out = string_at(*held, "spec.hostPath.path");
      std::ofstream(*out / "file") << "content";
    }(cluster->client(), &directory);
  });
  EXPECT_TRUE(directory.string().starts_with(state.path() + ".files/"));
  on_cluster({.state = state.path()}, [&directory](Cluster* cluster) {
    return [](kube::ClientPtr client, fs::path kept) -> Task<void> {
      co_await when(client, types::persistent_volume_claims(), "data", is_bound);
      EXPECT_TRUE(fs::exists(kept / "file"));
    }(cluster->client(), directory);
  });
}

TEST(Volumes, OfAClusterThatForgetsGoWithIt) {
  fs::path directory;
  on_cluster({}, [&directory](Cluster* cluster) {
    return [](kube::ClientPtr client, fs::path* out) -> Task<void> {
      co_await client->create(types::persistent_volume_claims(), claim("data"));
      const auto name = co_await name_of_volume(client, "data");
      const auto held = co_await client->get(types::persistent_volumes(), {"", name});
      *out = string_at(*held, "spec.hostPath.path");
    }(cluster->client(), &directory);
  });
  EXPECT_FALSE(directory.empty());
  EXPECT_FALSE(fs::exists(directory.parent_path().parent_path()));
}

}  // namespace
}  // namespace mtc::sandbox
