#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/condition.hpp"
#include "json/yaml.hpp"
#include "migrate/advance.hpp"
#include "migrate/itinerary.hpp"
#include "migrate/pipeline.hpp"
#include "migrate/quiesce.hpp"

namespace mtc::migrate {
namespace {

using testing::ElementsAre;

class FixedClock final : public Clock {
 public:
  Time now() const override { return *parse_rfc3339("2021-02-02T15:04:09Z"); }
};

std::vector<std::string> steps_of(const Json& pipeline) {
  std::vector<std::string> out;
  for (const auto& step : pipeline) out.push_back(string_at(step, "name") + ": " + string_at(step, "message"));
  return out;
}

TEST(Itinerary, IsTheOneOfThePublicDocuments) {
  EXPECT_EQ(final_itinerary().rows.size(), 47u);
  EXPECT_EQ(final_itinerary().position("InitialBackupCreated"), 19u);
  EXPECT_EQ(final_itinerary().position("QuiesceApplications"), 25u);
  EXPECT_EQ(final_itinerary().position("Completed"), 47u);
  EXPECT_EQ(stage_itinerary().rows.size(), 38u);
  EXPECT_EQ(cancel_itinerary().rows.size(), 12u);
  EXPECT_EQ(failed_itinerary().rows.size(), 4u);
  EXPECT_EQ(rollback_itinerary().rows.size(), 15u);
}

TEST(Itinerary, BacksUpBeforeItStopsAnything) {
  const auto& rows = final_itinerary();
  EXPECT_LT(rows.position("InitialBackupCreated"), rows.position("QuiesceApplications"));
  EXPECT_LT(rows.position("EnsureQuiesced"), rows.position("EnsureFinalRestore"));
}

TEST(Itinerary, VisitsTheRowsOfAPlainNamespace) {
  Flags flags;
  flags.quiesce = true;
  std::vector<std::size_t> visited{1};
  for (std::string_view phase; phase != "Completed";) {
    phase = final_itinerary().next(phase, flags).phase;
    visited.push_back(final_itinerary().position(phase));
  }
  EXPECT_THAT(visited, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 18, 19, 25, 26, 38, 39, 40, 41, 42, 43,
                                   44, 45, 47));
}

TEST(Pipeline, LooksLikeThePublicDocuments) {
  const auto now = FixedClock().now();
  Json pipeline;
  begin_itinerary(pipeline, final_itinerary(), {});
  leave_for(pipeline, *final_itinerary().find("WaitForRefresh"), now, false);
  leave_for(pipeline, *final_itinerary().find("InitialBackupCreated"), now, false);
  EXPECT_THAT(steps_of(pipeline),
              ElementsAre("Prepare: Completed", "Backup: Waiting for initial Velero backup to complete.",
                          "StageBackup: Not started", "StageRestore: Not started", "DirectImage: Not started",
                          "DirectVolume: Not started", "Restore: Not started", "Cleanup: Not started"));
  EXPECT_EQ(string_at(pipeline[1], "phase"), "InitialBackupCreated");
  leave_for(pipeline, *final_itinerary().find("EnsureFinalRestore"), now, false);
  leave_for(pipeline, *final_itinerary().find("Completed"), now, true);
  EXPECT_THAT(steps_of(pipeline),
              ElementsAre("Prepare: Completed", "Backup: Completed", "StageBackup: Skipped", "StageRestore: Skipped",
                          "DirectImage: Skipped", "DirectVolume: Skipped", "Restore: Completed", "Cleanup: Completed"));
}

TEST(Quiesce, StopsEveryKindAndPutsItBackExactly) {
  const std::map<std::string, std::vector<const char*>> samples = {
      {"Deployment", {"{spec: {replicas: 3}}", "{spec: {replicas: 2, paused: true}}", "{spec: {replicas: 0}}"}},
      {"StatefulSet",
       {"{spec: {replicas: 3}}",
        "{spec: {replicas: 3, persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Delete}}}"}},
      {"ReplicaSet",
       {"{spec: {replicas: 3}}", "{metadata: {ownerReferences: [{kind: Deployment}]}, spec: {replicas: 3}}"}},
      {"ReplicationController",
       {"{spec: {replicas: 2}}", "{metadata: {ownerReferences: [{kind: DeploymentConfig}]}, spec: {replicas: 2}}"}},
      {"DaemonSet", {"{spec: {template: {spec: {}}}}", "{spec: {template: {spec: {nodeSelector: {disk: ssd}}}}}"}},
      {"Job",
       {"{spec: {parallelism: 4}}", "{spec: {parallelism: 0}}",
        "{spec: {parallelism: 1}, status: {completionTime: 2021-01-01T00:00:00Z}}"}},
      {"CronJob", {"{spec: {suspend: false}}", "{spec: {suspend: true}}"}},
      {"ReplicationController",
       {"{spec: {replicas: 2}}", "{metadata: {ownerReferences: [{kind: DeploymentConfig}]}, spec: {replicas: 3}}"}},
      {"VirtualMachine",
       {"{spec: {runStrategy: Always}}", "{spec: {running: true}}", "{spec: {running: false}}",
        "{spec: {runStrategy: Halted}}", "{spec: {runStrategy: Manual}}"}}};
  for (const auto& kind : workload_kinds()) {
    const auto at = samples.find(kind.type.kind == "DeploymentConfig" ? "Deployment" : kind.type.kind);
    ASSERT_NE(at, samples.end()) << kind.type.kind;
    for (const auto* yaml : at->second) {
      const auto before = parse_yaml_one(yaml);
      auto object = before;
      const bool stopped = kind.down(object);
      const auto once = object;
      kind.down(object);  // the controller was killed and does it again
      EXPECT_EQ(object, once) << yaml;
      EXPECT_EQ(kind.up(object), stopped) << yaml;
      if (object.contains("metadata") && object["metadata"].contains("annotations"))
        object["metadata"].erase("annotations");
      if (object.contains("metadata") && object["metadata"].empty()) object.erase("metadata");
      EXPECT_EQ(object, before) << yaml;
    }
  }
}

// A real Deployment hands its annotations on; `kubectl rollout undo` would take them from its ReplicaSets again.
TEST(Quiesce, TakesItsRecordFromCopiesToo) {
  const auto& kinds = workload_kinds();
  const auto sets =
      std::ranges::find(kinds, std::string("ReplicaSet"), [](const auto& kind) { return kind.type.kind; });
  ASSERT_NE(sets, kinds.end());
  auto copy = parse_yaml_one(
      "{metadata: {ownerReferences: [{kind: Deployment}], annotations: {migration.openshift.io/preQuiesceReplicas: "
      "'2', "
      "migration.openshift.io/preQuiescePaused: 'true', theirs: stays}}, spec: {replicas: 0}}");
  EXPECT_TRUE(sets->up(copy));
  EXPECT_EQ(copy["metadata"]["annotations"], Json({{"theirs", "stays"}}));
  EXPECT_EQ(copy["spec"]["replicas"], 0) << "the count is the Deployment's to set";
  EXPECT_FALSE(sets->up(copy));
}

Json migration(const char* name, const char* created, const char* rest) {
  auto object = parse_yaml_one(rest);
  object["metadata"] = {{"name", name}, {"uid", name}, {"creationTimestamp", created}};
  return object;
}

std::vector<std::string> conditions_for(const Json& self, const std::optional<Json>& plan, std::vector<Json> siblings,
                                        bool one_cluster = false) {
  const FixedClock clock;
  api::Conditions conditions(Json(), clock);
  siblings.push_back(self);
  validate(api::MigMigration::parse(self), {plan, siblings, one_cluster}, conditions);
  std::vector<std::string> types;
  for (const auto& condition : conditions.current()) types.push_back(condition.type);
  return types;
}

TEST(Validate, BlocksWhatCannotRun) {
  const auto plan = parse_yaml_one("{status: {conditions: [{type: Ready, status: 'True'}]}}");
  const auto self =
      migration("m", "2021-01-02T00:00:00Z", "{spec: {migPlanRef: {name: p, namespace: ns}, stage: false}}");
  EXPECT_THAT(conditions_for(self, plan, {}), ElementsAre());
  EXPECT_THAT(conditions_for(self, std::nullopt, {}), ElementsAre("InvalidPlanRef"));
  EXPECT_THAT(conditions_for(self, parse_yaml_one("{spec: {closed: true}}"), {}),
              ElementsAre("PlanNotReady", "PlanClosed"));
  const auto twofold = migration("m", "2021-01-02T00:00:00Z",
                                 "{spec: {migPlanRef: {name: p, namespace: ns}, stage: true, rollback: true}}");
  EXPECT_THAT(conditions_for(twofold, plan, {}), ElementsAre("InvalidSpec"));
  const auto earlier =
      migration("e", "2021-01-01T00:00:00Z",
                "{spec: {stage: false}, status: {phase: Completed, conditions: [{type: Succeeded, status: 'True'}]}}");
  EXPECT_THAT(conditions_for(self, plan, {earlier}), ElementsAre("HasFinalMigration"));
}

TEST(Validate, RefusesToRunWithoutThePlansVolumes) {
  const auto conditions_with = [](const char* rest, const char* of_plan = "{}") {
    auto plan = parse_yaml_one("{spec: {namespaces: [shop]}, status: {conditions: [{type: Ready, status: 'True'}]}}");
    auto volume = parse_yaml_one("{name: pv, pvc: {namespace: shop, name: data}}");
    volume.update(parse_yaml_one(rest));
    plan["spec"]["persistentVolumes"].push_back(std::move(volume));
    plan["spec"].update(parse_yaml_one(of_plan));
    const auto self = migration("m", "2021-01-02T00:00:00Z", "{spec: {migPlanRef: {name: p, namespace: ns}}}");
    return conditions_for(self, plan, {});
  };
  EXPECT_THAT(conditions_with("{selection: {action: skip}}"), ElementsAre());
  EXPECT_THAT(conditions_with("{selection: {action: copy, copyMethod: filesystem}}"), ElementsAre());
  EXPECT_THAT(conditions_with("{selection: {action: copy, copyMethod: block}}"), ElementsAre());
  const auto* device =
      "{selection: {action: copy, copyMethod: block}, pvc: {namespace: shop, name: data, volumeMode: Block}}";
  EXPECT_THAT(conditions_with(device), ElementsAre());
  EXPECT_THAT(conditions_with(device, "{indirectVolumeMigration: true}"), ElementsAre());
  EXPECT_THAT(conditions_with("{selection: {action: move}}"), ElementsAre());
  EXPECT_THAT(conditions_with("{selection: {action: copy, copyMethod: snapshot}}"), ElementsAre());
  for (const auto* left_behind : {"{selection: {action: copy}}", "{}",
                                  "{selection: {action: copy, copyMethod: filesystem}, pvc: {namespace: shop, name: "
                                  "data, volumeMode: Tape}}",
                                  "{name: '../x'}"})
    EXPECT_THAT(conditions_with(left_behind), ElementsAre("VolumeMigrationNotSupported")) << left_behind;
}

TEST(Validate, WithinOneClusterNothingTakesItsOwnPlace) {
  const auto plan_of = [](const char* ns, const char* claim) {
    auto plan = parse_yaml_one(
        "{spec: {persistentVolumes: [{name: pv, selection: {action: copy, copyMethod: filesystem}, pvc: {namespace: "
        "shop}}]}, status: {conditions: [{type: Ready, status: 'True'}]}}");
    plan["spec"]["namespaces"] = {ns};
    plan["spec"]["persistentVolumes"][0]["pvc"]["name"] = claim;
    return plan;
  };
  const auto cutover = migration("m", "2021-01-02T00:00:00Z", "{spec: {migPlanRef: {name: p, namespace: ns}}}");
  const auto state =
      migration("m", "2021-01-02T00:00:00Z", "{spec: {migPlanRef: {name: p, namespace: ns}, migrateState: true}}");
  EXPECT_THAT(conditions_for(cutover, plan_of("shop", "data:data-new"), {}, true), ElementsAre("Failed"));
  EXPECT_THAT(conditions_for(cutover, plan_of("shop", "data:data-new"), {}, false), ElementsAre());
  EXPECT_THAT(conditions_for(cutover, plan_of("shop:boutique", "data"), {}, true), ElementsAre());
  EXPECT_THAT(conditions_for(state, plan_of("shop", "data:data-new"), {}, true), ElementsAre());
  EXPECT_THAT(conditions_for(state, plan_of("shop", "data"), {}, true), ElementsAre("ConflictingPVCMappings"));
}

TEST(Validate, AConversionIsNotRepeatedOverWhatWasWrittenSince) {
  const auto plan =
      parse_yaml_one("{spec: {namespaces: [shop]}, status: {conditions: [{type: Ready, status: 'True'}]}}");
  const auto self =
      migration("m", "2021-01-03T00:00:00Z", "{spec: {migPlanRef: {name: p, namespace: ns}, migrateState: true}}");
  const auto ended = [](const char* name, const char* when, const char* spec) {
    auto object =
        migration(name, when, "{status: {phase: Completed, conditions: [{type: Succeeded, status: 'True'}]}}");
    object["spec"] = parse_yaml_one(spec);
    return object;
  };
  const auto copied = ended("c", "2021-01-01T00:00:00Z", "{migrateState: true}");
  const auto swapped = ended("s", "2021-01-01T00:00:00Z", "{migrateState: true, quiescePods: true}");
  const auto undone = ended("u", "2021-01-02T00:00:00Z", "{rollback: true}");
  EXPECT_THAT(conditions_for(self, plan, {copied}, true), ElementsAre());
  EXPECT_THAT(conditions_for(self, plan, {swapped}, true), ElementsAre("HasFinalMigration"));
  EXPECT_THAT(conditions_for(self, plan, {swapped, undone}, true), ElementsAre());
  EXPECT_THAT(conditions_for(self, plan, {swapped}, false), ElementsAre()) << "to another cluster it may be repeated";
}

TEST(Validate, ANewStageNeverOvertakesARunningMigration) {
  const auto plan = parse_yaml_one("{status: {conditions: [{type: Ready, status: 'True'}]}}");
  const auto running = migration("f", "2021-01-01T00:00:00Z",
                                 "{spec: {migPlanRef: {name: p, namespace: ns}, stage: false}, status: {phase: "
                                 "EnsureQuiesced, startTimestamp: x}}");
  const auto stage =
      migration("s", "2021-01-02T00:00:00Z", "{spec: {migPlanRef: {name: p, namespace: ns}, stage: true}}");
  EXPECT_THAT(conditions_for(running, plan, {stage}), ElementsAre());
  EXPECT_THAT(conditions_for(stage, plan, {running}), ElementsAre("Postponed"));
}

}  // namespace
}  // namespace mtc::migrate
