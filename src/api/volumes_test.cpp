#include "api/volumes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "json/yaml.hpp"

namespace mtc::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

MigPlan plan_with(std::string_view volumes) {
  return MigPlan::parse(parse_yaml_one(std::string(R"(
metadata: {name: p, namespace: openshift-migration}
spec:
  namespaces: [shop, "stock:warehouse"]
  persistentVolumes: )") + std::string(volumes)));
}

/// What volumes_of() says of an entry that it refuses.
std::string refusal(std::string_view volumes) {
  try {
    volumes_of(plan_with(volumes));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalid);
    return error.what();
  }
  return "not refused";
}

TEST(PlanVolumes, AreReadWithTheirNamesMapped) {
  const auto volumes = volumes_of(plan_with(R"([
    {name: pv-1, capacity: 2Gi, storageClass: gold, proposedCapacity: "0", supported: {},
     selection: {action: copy, copyMethod: filesystem, storageClass: silver, accessMode: ReadWriteMany, verify: true},
     pvc: {namespace: stock, name: "data:new-data", accessModes: [ReadWriteOnce], volumeMode: Filesystem}},
    {name: pv-2, capacity: 1024, supported: {}, selection: {action: skip}, pvc: {namespace: shop, name: web}}])"));
  ASSERT_THAT(volumes, SizeIs(2));
  EXPECT_EQ(volumes[0].pv, "pv-1");
  EXPECT_EQ(volumes[0].claim, (Ref{"stock", "data"}));
  EXPECT_EQ(volumes[0].target, (Ref{"warehouse", "new-data"}));
  EXPECT_EQ(volumes[0].capacity, "2Gi");
  EXPECT_EQ(volumes[0].source_class, "gold");
  EXPECT_EQ(volumes[0].storage_class, "silver");
  EXPECT_THAT(volumes[0].access_modes(), ElementsAre("ReadWriteMany"));
  EXPECT_EQ(volumes[0].mode, VolumeMode::kFilesystem);
  EXPECT_EQ(volumes[0].action, VolumeAction::kCopy);
  EXPECT_EQ(volumes[0].method, CopyMethod::kFilesystem);
  EXPECT_TRUE(volumes[0].verify);
  EXPECT_EQ(volumes[1].target, (Ref{"shop", "web"}));
  EXPECT_EQ(volumes[1].capacity, "1024");
  EXPECT_EQ(volumes[1].proposed_capacity, "0");
  EXPECT_EQ(volumes[1].mode, VolumeMode::kFilesystem);
  EXPECT_EQ(volumes[1].method, CopyMethod::kUnset);
}

TEST(PlanVolumes, WordsThatAreNoneAreToldFromAbsentOnes) {
  const auto volumes = volumes_of(plan_with(R"([
    {name: a, selection: {action: teleport, copyMethod: magic},
     pvc: {namespace: shop, name: a, volumeMode: Tape, accessModes: [ReadWriteOnce]}},
    {name: b, selection: {accessMode: auto}, pvc: {namespace: shop, name: b, accessModes: [ReadWriteOnce]}}])"));
  EXPECT_EQ(volumes.at(0).action, VolumeAction::kUnknown);
  EXPECT_EQ(volumes.at(0).method, CopyMethod::kUnknown);
  EXPECT_EQ(volumes.at(0).mode, VolumeMode::kUnknown);
  EXPECT_EQ(volumes.at(1).action, VolumeAction::kUnset);
  EXPECT_THAT(volumes.at(1).access_modes(), ElementsAre("ReadWriteOnce"));
}

TEST(PlanVolumes, OfNamespacesThatThePlanDoesNotNameAreLeftOut) {
  EXPECT_THAT(volumes_of(plan_with("[{name: a, pvc: {namespace: other, name: a}}, {name: b}]")), IsEmpty());
  EXPECT_THAT(volumes_of(plan_with("nothing")), IsEmpty());
}

TEST(PlanVolumes, RefusesWhatIsNoNameAndWhatIsBeyondMeasure) {
  EXPECT_THAT(refusal("[{name: a, pvc: {namespace: shop, name: '../../etc'}}]"),
              HasSubstr("MigPlan openshift-migration/p: spec.persistentVolumes[0].pvc.name is no name: `../../etc`"));
  EXPECT_THAT(refusal("[{name: a, pvc: {namespace: shop, name: 'data:'}}]"), HasSubstr("pvc.name is no name: ``"));
  EXPECT_THAT(refusal("[{name: a, pvc: {namespace: shop, name: 'a:b:c'}}]"), HasSubstr("is no name: `b:c`"));
  EXPECT_THAT(refusal("[{name: '', pvc: {namespace: shop, name: a}}]"), HasSubstr("[0].name is no name"));
  const auto with = [](const std::string& what) {
    return "[{name: a, selection: {" + what + "}, pvc: {namespace: shop, name: a}}]";
  };
  EXPECT_THAT(refusal(with("storageClass: " + std::string(300, 'x'))), HasSubstr("longer than 253"));
  std::string modes;
  for (int i = 0; i < 17; ++i) modes += "m,";
  EXPECT_THAT(refusal("[{name: a, pvc: {namespace: shop, name: a, accessModes: [" + modes + "]}}]"),
              HasSubstr("more than 16"));
}

TEST(PlanVolumes, DirectlyCopiedAreCopiesByFileOrBlock) {
  auto plan = plan_with(R"([
    {name: a, selection: {action: copy, copyMethod: filesystem}, pvc: {namespace: shop, name: a}},
    {name: b, selection: {action: copy, copyMethod: block}, pvc: {namespace: shop, name: b}},
    {name: c, selection: {action: copy, copyMethod: snapshot}, pvc: {namespace: shop, name: c}},
    {name: d, selection: {action: move, copyMethod: filesystem}, pvc: {namespace: shop, name: d}},
    {name: e, selection: {action: skip, copyMethod: filesystem}, pvc: {namespace: shop, name: e}}])");
  std::vector<std::string> names;
  for (const auto& volume : directly_copied(plan)) names.push_back(volume.pv);
  EXPECT_THAT(names, ElementsAre("a", "b"));
  plan.indirect_volumes = true;
  EXPECT_THAT(directly_copied(plan), IsEmpty());
}

TEST(PlanVolumes, ThroughTheRepositoryGoFileSystemsAndDevices) {
  auto plan = plan_with(R"([
    {name: a, selection: {action: copy, copyMethod: filesystem}, pvc: {namespace: shop, name: a}},
    {name: b, selection: {action: copy, copyMethod: block}, pvc: {namespace: shop, name: b, volumeMode: Filesystem}},
    {name: c, selection: {action: copy, copyMethod: block}, pvc: {namespace: shop, name: c, volumeMode: Block}},
    {name: d, selection: {action: copy, copyMethod: filesystem}, pvc: {namespace: shop, name: d, volumeMode: Odd}}])");
  EXPECT_THAT(indirectly_copied(plan), IsEmpty());
  plan.indirect_volumes = true;
  std::vector<std::string> names;
  for (const auto& volume : indirectly_copied(plan)) names.push_back(volume.pv);
  EXPECT_THAT(names, ElementsAre("a", "b", "c"));
}

TEST(PlanVolumes, SnapshotsGoThroughTheRepositoryWhateverThePlanWants) {
  auto plan = plan_with(R"([
    {name: a, selection: {action: copy, copyMethod: filesystem}, pvc: {namespace: shop, name: a}},
    {name: b, selection: {action: copy, copyMethod: snapshot}, pvc: {namespace: shop, name: b}},
    {name: c, selection: {action: skip, copyMethod: snapshot}, pvc: {namespace: shop, name: c}}])");
  const auto names = [](const std::vector<PlanVolume>& volumes) {
    std::vector<std::string> out;
    out.reserve(volumes.size());
    for (const auto& volume : volumes) out.push_back(volume.pv);
    return out;
  };
  EXPECT_THAT(names(indirectly_copied(plan)), ElementsAre("b"));
  EXPECT_THAT(names(carried_volumes(plan)), ElementsAre("a", "b"));
  plan.indirect_volumes = true;
  EXPECT_THAT(names(indirectly_copied(plan)), ElementsAre("a", "b"));
  EXPECT_THAT(names(carried_volumes(plan)), ElementsAre("a", "b"));
}

TEST(PlanVolumes, FlagsFollowFromThem) {
  EXPECT_FALSE(has_volumes({}));
  EXPECT_FALSE(has_volumes({{.action = VolumeAction::kSkip}}));
  EXPECT_TRUE(has_volumes({{.action = VolumeAction::kSkip}, {.action = VolumeAction::kMove}}));
  EXPECT_TRUE(volumes_enabled(Json::object()));
  EXPECT_FALSE(volumes_enabled(parse_yaml_one("{status: {excludedResources: [events, persistentvolumes]}}")));
}

}  // namespace
}  // namespace mtc::api
