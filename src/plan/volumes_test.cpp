#include "plan/volumes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.hpp"
#include "json/yaml.hpp"

namespace mtc::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Settings no_settings() {
  return Settings::from([](const char*) { return nullptr; });
}

/// A claim and its volume, bound to one another.
void add_bound(VolumeObjects* objects, const std::string& name, const std::string& volume_source = "csi: {}",
               const std::string& claim_spec = "accessModes: [ReadWriteOnce]") {
  objects->claims.push_back(parse_yaml_one("{metadata: {namespace: shop, name: " + name + ", uid: u-" + name +
                                           "}, spec: {volumeName: pv-" + name + ", " + claim_spec +
                                           "}, status: {phase: Bound}}"));
  objects->volumes.push_back(parse_yaml_one("{metadata: {name: pv-" + name +
                                            "}, spec: {capacity: {storage: 5Gi}, storageClassName: gold, claimRef: "
                                            "{namespace: shop, name: " +
                                            name + ", uid: u-" + name + "}, " + volume_source +
                                            "}, status: {phase: Bound}}"));
}

VolumeObjects with_classes() {
  return {.source_classes = {{"gold", "example.com/disk"}}, .destination_classes = {{"silver", "example.com/disk"}}};
}

TEST(FindVolumes, ListsEveryBoundClaim) {
  auto objects = with_classes();
  add_bound(&objects, "web");
  add_bound(&objects, "data", "csi: {}", "accessModes: [ReadWriteMany], volumeMode: Filesystem");
  const auto found = find_volumes(objects, Json::array(), no_settings());
  ASSERT_EQ(found.entries.size(), 2u);
  EXPECT_EQ(dump(found.entries[0]),
            R"({"capacity":"5Gi","name":"pv-data","proposedCapacity":"0",)"
            R"("pvc":{"accessModes":["ReadWriteMany"],"name":"data","namespace":"shop","volumeMode":"Filesystem"},)"
            R"("selection":{"action":"copy","copyMethod":"filesystem","storageClass":"silver"},"storageClass":"gold",)"
            R"("supported":{"actions":["skip","copy"],"copyMethods":["filesystem","block","snapshot"]}})");
  EXPECT_EQ(string_at(found.entries[1], "name"), "pv-web") << "sorted by the name of the volume";
  EXPECT_THAT(found.unbound, IsEmpty());
}

TEST(FindVolumes, ChangesNothingWhenNothingChanged) {
  auto objects = with_classes();
  add_bound(&objects, "web");
  const auto once = find_volumes(objects, Json::array(), no_settings()).entries;
  EXPECT_EQ(find_volumes(objects, once, no_settings()).entries, once);
}

TEST(FindVolumes, KeepsWhatUsersChoseAndForgetsWhatIsGone) {
  auto objects = with_classes();
  add_bound(&objects, "web");
  auto known = find_volumes(objects, Json::array(), no_settings()).entries;
  known[0]["selection"] = parse_yaml_one(
      "{action: skip, copyMethod: snapshot, storageClass: bronze, accessMode: ReadWriteMany, verify: true}");
  known[0]["pvc"]["name"] = "web:new-web";
  known[0]["pvc"]["accessModes"] = {"ReadOnlyMany"};
  known[0]["capacityConfirmed"] = true;
  known[0]["proposedCapacity"] = "9Gi";
  known[0]["capacity"] = "1Gi";
  known[0]["storageClass"] = "edited";
  known[0]["supported"]["actions"] = {"move"};
  const auto expected_selection = known[0]["selection"];
  known.push_back(parse_yaml_one("{name: pv-gone, selection: {action: copy}, supported: {}}"));

  const auto found = find_volumes(objects, known, no_settings()).entries;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["selection"], expected_selection);
  EXPECT_EQ(string_at(found[0], "pvc.name"), "web:new-web");
  EXPECT_THAT(strings_at(found[0], "pvc.accessModes"), ElementsAre("ReadOnlyMany"));
  EXPECT_TRUE(bool_at(found[0], "capacityConfirmed"));
  EXPECT_EQ(string_at(found[0], "proposedCapacity"), "9Gi");
  EXPECT_EQ(string_at(found[0], "capacity"), "5Gi");
  EXPECT_EQ(string_at(found[0], "storageClass"), "gold");
  EXPECT_THAT(strings_at(found[0], "supported.actions"), ElementsAre("skip", "copy"));
}

TEST(FindVolumes, AnEntryOfAnotherClaimSaysNothingOfThisOne) {
  auto objects = with_classes();
  add_bound(&objects, "web");
  const auto known = parse_yaml_one(
      "[{name: pv-web, selection: {action: copy}, pvc: {namespace: shop, name: 'other:x', accessModes: [m]}}]");
  const auto found = find_volumes(objects, known, no_settings()).entries;
  EXPECT_EQ(string_at(found[0], "pvc.name"), "web");
  EXPECT_THAT(strings_at(found[0], "pvc.accessModes"), ElementsAre("ReadWriteOnce"));
}

TEST(FindVolumes, NamesClaimsWithoutAVolume) {
  auto objects = with_classes();
  objects.claims.push_back(parse_yaml_one("{metadata: {namespace: shop, name: waiting}, status: {phase: Pending}}"));
  add_bound(&objects, "lost");
  objects.claims.back()["status"]["phase"] = "Lost";
  add_bound(&objects, "made-anew");  // the volume remembers a claim of this name that is no more
  objects.volumes.back()["spec"]["claimRef"]["uid"] = "another";
  const auto found = find_volumes(objects, Json::array(), no_settings());
  EXPECT_THAT(found.unbound, ElementsAre("shop/waiting", "shop/lost", "shop/made-anew"));
  EXPECT_THAT(found.entries, IsEmpty());
}

TEST(FindVolumes, PassesOverClaimsThatComeAndGoWithTheirOwner) {
  auto objects = with_classes();
  for (const auto* kind : {"Pod", "PersistentVolumeClaim"}) {
    add_bound(&objects, "of-a-" + to_lower(kind));
    objects.claims.back()["metadata"]["ownerReferences"] =
        parse_yaml_one(std::string("[{kind: ") + kind + ", name: x, controller: true}]");
  }
  add_bound(&objects, "owned-by-an-operator");
  objects.claims.back()["metadata"]["ownerReferences"] = parse_yaml_one("[{kind: Database, controller: true}]");
  const auto found = find_volumes(objects, Json::array(), no_settings());
  ASSERT_EQ(found.entries.size(), 1u);
  EXPECT_EQ(string_at(found.entries[0], "pvc.name"), "owned-by-an-operator");
  EXPECT_THAT(found.unbound, IsEmpty());
}

std::vector<std::string> actions_of(const std::string& volume_source, bool one_node = false) {
  auto objects = with_classes();
  objects.one_node = one_node;
  add_bound(&objects, "web", volume_source);
  auto settings = no_settings();
  settings.moved_classes = {"platinum"};
  return find_volumes(objects, Json::array(), settings).by_name.at("pv-web").actions;
}

TEST(FindVolumes, SupportsWhatTheKindOfVolumeAllows) {
  EXPECT_THAT(actions_of("csi: {}"), ElementsAre("skip", "copy"));
  EXPECT_THAT(actions_of("nfs: {server: s, path: /}"), ElementsAre("skip", "copy", "move"));
  EXPECT_THAT(actions_of("awsElasticBlockStore: {volumeID: v}"), ElementsAre("skip", "copy", "move"));
  EXPECT_THAT(actions_of("csi: {}, storageClassName: platinum"), ElementsAre("skip", "copy", "move"));
}

TEST(FindVolumes, ADirectoryOfAnUnknownNodeCanOnlyBeSkipped) {
  const std::string placed = ", nodeAffinity: {required: {nodeSelectorTerms: []}}";
  EXPECT_THAT(actions_of("hostPath: {path: /data}"), ElementsAre("skip"));
  EXPECT_THAT(actions_of("hostPath: {path: /data}" + placed), ElementsAre("skip", "copy"));
  EXPECT_THAT(actions_of("hostPath: {path: /data}", true), ElementsAre("skip", "copy"));
  EXPECT_THAT(actions_of("local: {path: /data}" + placed), ElementsAre("skip", "copy"));

  auto objects = with_classes();
  add_bound(&objects, "web", "hostPath: {path: /data}");
  const auto known = parse_yaml_one("[{name: pv-web, selection: {action: copy, storageClass: silver}}]");
  EXPECT_EQ(dump(find_volumes(objects, known, no_settings()).entries[0]["selection"]),
            R"({"action":"skip","storageClass":"silver"})");
}

TEST(FindVolumes, TellsBlockVolumesAndUsers) {
  auto objects = with_classes();
  add_bound(&objects, "data-db-0", "csi: {}, volumeMode: Block", "accessModes: [ReadWriteOnce], volumeMode: Block");
  objects.users.owners.push_back(
      parse_yaml_one("{kind: StatefulSet, metadata: {namespace: shop, name: db}, spec: {volumeClaimTemplates: "
                     "[{metadata: {name: data}}]}}"));
  const auto found = find_volumes(objects, Json::array(), no_settings());
  EXPECT_EQ(string_at(found.entries[0], "selection.copyMethod"), "block");
  EXPECT_EQ(string_at(found.entries[0], "pvc.volumeMode"), "Block");
  EXPECT_TRUE(bool_at(found.entries[0], "pvc.hasReference"));
  EXPECT_EQ(string_at(found.entries[0], "pvc.ownerType"), "StatefulSet");
  EXPECT_TRUE(found.by_name.at("pv-data-db-0").is_block);
  EXPECT_EQ(found.by_name.at("pv-data-db-0").of_set, (SetClaim{"db", "data", "0"}));
}

TEST(FindVolumes, GivesSuccessorsToWhatIsConverted) {
  auto objects = with_classes();
  add_bound(&objects, "data");
  add_bound(&objects, "ours");
  add_bound(&objects, "theirs");
  add_bound(&objects, "mine");
  objects.claims[1]["metadata"]["labels"] = {{"migration.openshift.io/migrated-by-migplan", "plan"}};
  objects.claims[2]["metadata"]["labels"] = {{"migration.openshift.io/source-for-directvolumemigration", "other"}};
  objects.claims[3]["metadata"]["labels"] = {{"migration.openshift.io/source-for-directvolumemigration", "plan"}};
  const std::optional<Conversion> conversion({"plan", "ab12"});
  auto found = find_volumes(objects, Json::array(), no_settings(), conversion).entries;
  ASSERT_EQ(found.size(), 2u) << "what this plan made, and what another has replaced, are not converted";
  EXPECT_EQ(string_at(found[0], "pvc.name"), "data:data-mig-ab12");
  EXPECT_EQ(string_at(found[1], "pvc.name"), "mine:mine-mig-ab12");
  EXPECT_EQ(find_volumes(objects, found, no_settings(), conversion).entries, found);
  found[0]["pvc"]["name"] = "data:chosen";
  EXPECT_EQ(find_volumes(objects, found, no_settings(), conversion).entries, found) << "a user's name stays";
  EXPECT_EQ(find_volumes(objects, Json::array(), no_settings()).entries.size(), 4u);
}

}  // namespace
}  // namespace mtc::plan
