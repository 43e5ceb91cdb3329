#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "json/yaml.hpp"
#include "plan/checks.hpp"
#include "plan/testing/world.hpp"

namespace mtc::plan {
namespace {

using plan_testing::on_cluster;
using plan_testing::World;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// The destination is the cluster of the world, the source a second one.
struct Sides {
  World* destination;
  kube::ClientPtr source;

  Task<void> volume(kube::ClientPtr cluster, std::string labels = "", std::string more = "") {
    const auto text = "{metadata: {name: pv-1, labels: {" + labels +
                      "}}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteMany], nfs: {server: s, path: /}" +
                      more + "}}";
    co_await cluster->create(kube::types::persistent_volumes(), parse_yaml_one(text));
  }

  Task<std::vector<std::string>> look(api::VolumeAction action = api::VolumeAction::kMove) {
    api::Conditions conditions(Json(), system_clock());
    destination->world.source_client = source;
    destination->world.awaited.clear();
    const api::PlanVolume volume{
        .pv = "pv-1", .claim = {"shop", "data"}, .target = {"boutique", "data"}, .action = action};
    co_await check_moved_volumes({volume}, "plan-uid", &destination->world, &conditions);
    std::vector<std::string> said;
    for (const auto& c : conditions.current()) said.push_back(c.type + " " + c.reason + ": " + c.message);
    co_return said;
  }
  /// What is said of a volume of nodes with these labels.
  Task<std::vector<std::string>> about(std::string expressions) {
    co_await source->remove(kube::types::persistent_volumes(), {"", "pv-1"});
    co_await volume(source, "",
                    ", nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [" + expressions + "]}]}}");
    co_return co_await look();
  }
};

void on_sides(std::function<Task<void>(Sides*)> body) {
  on_cluster([body](World* w) {
    return [](std::function<Task<void>(Sides*)> run, World* world) -> Task<void> {
      const auto source = co_await sandbox::Cluster::start({.run_workloads = false});
      Sides sides{world, source->client()};
      co_await run(&sides);
      co_await source->stop();
    }(body, w);
  });
}

TEST(CheckMovedVolumes, RefusesAVolumeOfThatNameThatIsNotThePlans) {
  on_sides([](Sides* s) -> Task<void> {
    co_await s->volume(s->source);
    EXPECT_THAT(co_await s->look(), IsEmpty());
    co_await s->volume(s->destination->client);
    EXPECT_THAT(co_await s->look(), ElementsAre(StartsWith("PvMoveTargetExists AlreadyExists: Volumes [pv-1] ")));
    EXPECT_EQ(s->destination->world.awaited.at(0).type, kube::types::persistent_volumes()) << "it may go";
    EXPECT_THAT(co_await s->look(api::VolumeAction::kCopy), IsEmpty());
    const Json ours = {{"metadata", {{"labels", {{api::labels::kMigratedByPlan, "plan-uid"}}}}}};
    co_await s->destination->client->patch(kube::types::persistent_volumes(), {"", "pv-1"}, kube::PatchKind::kMerge,
                                           ours);
    EXPECT_THAT(co_await s->look(), IsEmpty()) << "an earlier migration of the plan made it";
  });
}

TEST(CheckMovedVolumes, RefusesAVolumeThatIsInUseElsewhere) {
  on_sides([](Sides* s) -> Task<void> {
    co_await s->volume(s->source, std::string(api::labels::kMovedByPlan) + ": another");
    EXPECT_THAT(co_await s->look(), ElementsAre(StartsWith("PvMovedElsewhere InUse: Volumes [pv-1] ")));
  });
}

TEST(CheckMovedVolumes, RefusesAVolumeOfNodesThatAreNotThere) {
  on_sides([](Sides* s) -> Task<void> {
    EXPECT_THAT(co_await s->about("{key: kubernetes.io/os, operator: Exists}"), IsEmpty());
    EXPECT_THAT(co_await s->about("{key: kubernetes.io/os, operator: In, values: [linux, plan9]}"), IsEmpty());
    EXPECT_THAT(co_await s->about("{key: kubernetes.io/hostname, operator: In, values: [elsewhere]}"),
                ElementsAre(StartsWith("PvMoveNotReachable NoNode: Volumes [pv-1] ")));
    EXPECT_THAT(co_await s->about("{key: kubernetes.io/os, operator: Exists}, {key: disk, operator: Exists}"),
                ElementsAre(HasSubstr("PvMoveNotReachable")));
    EXPECT_THAT(co_await s->about("{key: size, operator: Gt, values: ['3']}"), IsEmpty()) << "not judged";
  });
}

/// A network in which some hosts answer.
class Answering : public net::Connector {
 public:
  explicit Answering(std::set<std::string> who) : who_(std::move(who)) {}
  Task<net::StreamPtr> connect(net::Endpoint to) override {
    EXPECT_EQ(to.port, 2049);
    if (!who_.contains(to.host)) throw Error(Code::kUnavailable, "connection refused");
    co_return nullptr;
  }

 private:
  std::set<std::string> who_;
};

TEST(CheckMovedVolumes, TriesServersOfFilesFromTheirHost) {
  on_sides([](Sides* s) -> Task<void> {
    auto& world = s->destination->world;
    co_await s->volume(s->source);
    world.connector = std::make_shared<Answering>(std::set<std::string>{});
    EXPECT_THAT(co_await s->look(), IsEmpty()) << "the controller is not there";
    (*world.destination)["spec"]["isHostCluster"] = true;
    EXPECT_THAT(co_await s->look(), ElementsAre(testing::AllOf(StartsWith("NfsNotAccessible : NFS servers [s] "),
                                                               HasSubstr("nodes of the destination were not tried"))));
    EXPECT_TRUE(world.look_again);
    EXPECT_THAT(co_await s->look(api::VolumeAction::kCopy), IsEmpty());
    world.connector = std::make_shared<Answering>(std::set<std::string>{"s"});
    EXPECT_THAT(co_await s->look(), IsEmpty());
  });
}

}  // namespace
}  // namespace mtc::plan
