#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.hpp"
#include "json/yaml.hpp"
#include "plan/checks.hpp"
#include "plan/snapshot_classes.hpp"
#include "plan/testing/world.hpp"
#include "sandbox/testing/snapshot_kinds.hpp"

namespace mtc::plan {
namespace {

using plan_testing::on_cluster;
using plan_testing::World;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

SnapshotClass of(const char* name, const char* driver, bool is_default = false, bool is_of_velero = false) {
  return {name, driver, is_default, is_of_velero};
}

std::string chosen(const SnapshotClasses& classes) {
  const auto* one = choose_class(classes, "d");
  return one == nullptr ? "" : one->name;
}

TEST(SnapshotClasses, AreChosenByDriver) {
  EXPECT_EQ(chosen({}), "");
  EXPECT_EQ(chosen({of("other", "e", true)}), "");
  EXPECT_EQ(chosen({of("other", "e", true), of("only", "d")}), "only");
  EXPECT_EQ(chosen({of("a", "d"), of("b", "d")}), "") << "nothing tells";
  EXPECT_EQ(chosen({of("a", "d"), of("b", "d", true)}), "b");
  EXPECT_EQ(chosen({of("a", "d", true), of("b", "d", true), of("c", "d", false, true)}), "c");
  EXPECT_EQ(chosen({of("a", "d", false, true), of("b", "d", true)}), "b");
}

/// What is said of a plan with these volumes of claims, each by its driver, that are copied by snapshot.
class Snapshots {
 public:
  explicit Snapshots(World* w) : world_(w) {
    world_->world.source_classes = {{.name = "fast", .provisioner = "a.driver", .is_default = false}};
  }

  void volume(const std::string& name, const std::string& driver, const std::string& storage_class = "fast") {
    api::PlanVolume out;
    out.pv = "pv-" + name;
    out.claim = {"shop", name};
    out.source_class = storage_class;
    out.action = api::VolumeAction::kCopy;
    out.method = api::CopyMethod::kSnapshot;
    volumes_.push_back(out);
    world_->world.volumes.by_name[out.pv].csi_driver = driver;
  }

  Task<std::vector<std::string>> look() {
    api::Conditions conditions(Json(), system_clock());
    world_->world.awaited.clear();
    co_await check_snapshots(volumes_, &world_->world, &conditions);
    std::vector<std::string> said;
    for (const auto& c : conditions.current()) said.push_back(c.type + ": " + c.message);
    co_return said;
  }

 private:
  World* world_;
  std::vector<api::PlanVolume> volumes_;
};

TEST(CheckSnapshots, SaysWhatIsMissing) {
  on_cluster([](World* w) -> Task<void> {
    Snapshots s(w);
    s.volume("data", "a.driver");
    EXPECT_THAT(co_await s.look(),
                ElementsAre(AllOf(HasSubstr("VolumeSnapshotsUnavailable: "), HasSubstr("(claims [shop/data])"),
                                  HasSubstr("does not serve snapshot.storage.k8s.io/v1: install"))));
    EXPECT_THAT(w->world.awaited, SizeIs(1));
    co_await sandbox::testing::serve_snapshots(w->client);
    EXPECT_THAT(co_await s.look(), ElementsAre(HasSubstr("no VolumeSnapshotClass of driver a.driver (claims "
                                                         "[shop/data]): create one. Or select filesystem")));
    EXPECT_EQ(w->world.awaited.at(0).type, kube::types::volume_snapshot_classes());
    for (const auto* name : {"one", "two"}) {
      co_await w->client->create(kube::types::volume_snapshot_classes(),
                                 sandbox::testing::snapshot_class(name, "a.driver"));
      EXPECT_EQ((co_await s.look()).empty(), name == std::string("one"));
    }
    EXPECT_THAT(co_await s.look(), ElementsAre(HasSubstr("which of the VolumeSnapshotClasses [one,two] of driver "
                                                         "a.driver is meant")));
    co_await w->client->patch(
        kube::types::volume_snapshot_classes(), {"", "two"}, kube::PatchKind::kMerge,
        {{"metadata", {{"annotations", {{"snapshot.storage.kubernetes.io/is-default-class", "true"}}}}}});
    EXPECT_THAT(co_await s.look(), IsEmpty());
  });
}

TEST(CheckSnapshots, NeedsVolumesOfADriverThatCanMakeMore) {
  on_cluster([](World* w) -> Task<void> {
    Snapshots s(w);
    s.volume("nfs", "");
    s.volume("bare", "a.driver", "");
    s.volume("other", "b.driver");
    EXPECT_THAT(co_await s.look(), ElementsAre(AllOf(HasSubstr("volumes of claims [shop/nfs] are of no CSI driver"),
                                                     HasSubstr("claims [shop/bare,shop/other] have no storage class of "
                                                               "their own CSI driver"))));
    w->world.is_one_cluster = true;
    EXPECT_THAT(co_await s.look(), ElementsAre(HasSubstr("source and destination are the same cluster")));
  });
}

// A migration that runs, or was killed, is no reason for a plan to take along what it made.
TEST(CheckSnapshots, ClaimsMadeOfSnapshotsAreNoVolumesOfAPlan) {
  const auto claim = parse_yaml_one(
      "{metadata: {namespace: shop, name: stage-snapshot-1, labels: {migration.openshift.io/created-for-pvc: x}}, "
      "spec: {dataSource: {kind: VolumeSnapshot, name: stage-snapshot-1}}, status: {phase: Pending}}");
  VolumeObjects objects;
  objects.claims = {claim};
  EXPECT_THAT(find_volumes(objects, Json::array(), Settings{}).unbound, IsEmpty());
  objects.claims[0]["metadata"].erase("labels");
  EXPECT_THAT(find_volumes(objects, Json::array(), Settings{}).unbound, SizeIs(1)) << "a user's";
}

}  // namespace
}  // namespace mtc::plan
