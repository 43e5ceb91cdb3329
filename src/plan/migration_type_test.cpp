#include "plan/migration_type.hpp"

#include <gtest/gtest.h>

#include "json/yaml.hpp"

namespace mtc::plan {
namespace {

api::MigCluster cluster(const std::string& name, const std::string& url, bool is_host = false) {
  return {.self = {"ns", name}, .is_host = is_host, .url = url};
}

TEST(MigrationType, KnowsOneClusterByItsAddress) {
  EXPECT_TRUE(are_one_cluster(cluster("a", "https://east:6443"), cluster("b", "https://east:6443/")));
  EXPECT_FALSE(are_one_cluster(cluster("a", "https://east:6443"), cluster("b", "https://east:6444")));
  EXPECT_FALSE(are_one_cluster(cluster("a", "https://east:6443"), cluster("h", "", true)));
  EXPECT_TRUE(are_one_cluster(cluster("h", "", true), cluster("h", "", true)));
  EXPECT_TRUE(are_one_cluster(cluster("h", "", true), cluster("g", "", true)));
  EXPECT_FALSE(are_one_cluster(cluster("a", "no url"), cluster("b", "no url")));
}

/// The reason of MigrationTypeIdentified; "" if it is not set. With a * if it is durable.
std::string type_of(const std::string& spec, bool one_cluster, const std::vector<std::string>& migrations = {}) {
  const auto plan = api::MigPlan::parse(parse_yaml_one("{metadata: {name: p, namespace: ns}, spec: " + spec + "}"));
  PlanWorld world;
  world.is_one_cluster = one_cluster;
  world.is_conversion = is_conversion(plan, one_cluster);
  std::vector<Json> newest_first;
  newest_first.reserve(migrations.size());
  for (const auto& each : migrations) newest_first.push_back(parse_yaml_one(each));
  api::Conditions conditions(Json(), system_clock());
  identify_type(plan, world, newest_first, &conditions);
  const auto* found = conditions.find("MigrationTypeIdentified");
  return found == nullptr ? "" : found->reason + (found->durable ? "*" : "");
}

TEST(MigrationType, FollowsThePlanAndWhatItWasUsedFor) {
  constexpr auto kState = "{spec: {migrateState: true}}";
  constexpr auto kCutover = "{spec: {stage: false}}";
  constexpr auto kUndone = "{spec: {rollback: true}, status: {conditions: [{type: Succeeded, status: 'True'}]}}";
  EXPECT_EQ(type_of("{namespaces: [a]}", false), "") << "anything is possible";
  EXPECT_EQ(type_of("{namespaces: [a]}", true), "StorageConversionPlan");
  EXPECT_EQ(type_of("{namespaces: [a], indirectVolumeMigration: true}", true), "NamespaceMigrationPlan");
  EXPECT_EQ(type_of("{namespaces: ['a:b']}", true), "StateMigrationPlan");
  EXPECT_EQ(type_of("{namespaces: ['a:b', c]}", true), "");
  EXPECT_EQ(type_of("{namespaces: [a], persistentVolumes: [{pvc: {name: 'x:y'}}]}", false), "StateMigrationPlan");
  EXPECT_EQ(type_of("{namespaces: [a], persistentVolumes: [{pvc: {name: x}}]}", false), "");
  EXPECT_EQ(type_of("{namespaces: [a]}", false, {kCutover}), "NamespaceMigrationPlan*");
  EXPECT_EQ(type_of("{namespaces: [a]}", false, {kCutover, kState}), "StateMigrationPlan*");
  EXPECT_EQ(type_of("{namespaces: [a]}", true, {kState}), "StorageConversionPlan*");
  EXPECT_EQ(type_of("{namespaces: [a]}", false, {kUndone, kState}), "");
}

}  // namespace
}  // namespace mtc::plan
