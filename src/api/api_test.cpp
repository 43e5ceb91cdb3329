#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/condition.hpp"
#include "api/crds.hpp"
#include "api/kinds.hpp"
#include "json/json.hpp"
#include "json/schema.hpp"
#include "json/yaml.hpp"

namespace mtc::api {
namespace {

class FixedClock final : public Clock {
 public:
  Time now() const override { return time; }
  Time time = *parse_rfc3339("2021-02-02T15:04:09Z");
};

TEST(Digest, EqualsTheOriginals) {
  EXPECT_EQ(
      spec_digest("MigMigration",
                  parse_yaml_one(
                      "{migPlanRef: {name: hello, namespace: openshift-migration}, quiescePods: true, stage: false}")),
      "6875039193d75c792509ba4fd363051fa02bda568ded36250ccecdcb2c3e2ee1");
}

TEST(Digest, IgnoresZerosAndOrder) {
  const auto a = parse_yaml_one("{isHostCluster: true, refresh: false, url: ''}");
  const auto b = parse_yaml_one("{isHostCluster: true}");
  EXPECT_EQ(spec_digest("MigCluster", a), spec_digest("MigCluster", b));
  EXPECT_NE(spec_digest("MigCluster", a), spec_digest("MigCluster", parse_yaml_one("{isHostCluster: false}")));
}

TEST(Conditions, KeepTheirTimeUntilSomethingChanges) {
  FixedClock clock;
  Conditions first(Json(), clock);
  first.set({.type = "A", .category = Category::kWarn, .message = "missing []", .items = {"y", "x"}});
  first.set_ready(true, "fine");
  const auto stored = first.end();
  EXPECT_EQ(string_at(stored[0], "message"), "missing [x,y]");
  EXPECT_EQ(first.changed().size(), 2u);

  clock.time += std::chrono::hours(1);
  Conditions second(stored, clock);
  EXPECT_FALSE(second.has("A"));
  second.set({.type = "A", .category = Category::kWarn, .message = "missing []", .items = {"x", "y"}});
  second.set_ready(true, "fine");
  EXPECT_EQ(second.end(), stored);
  EXPECT_TRUE(second.changed().empty());

  Conditions third(stored, clock);
  third.set({.type = "A", .category = Category::kWarn, .message = "missing []", .items = {"x"}});
  EXPECT_EQ(third.end().size(), 1u);
  EXPECT_EQ(string_at(third.end()[0], "lastTransitionTime"), "2021-02-02T16:04:09Z");
}

TEST(Conditions, DurableOnesOutliveThePassThatSetThem) {
  FixedClock clock;
  Conditions first(Json(), clock);
  first.set({.type = "Done", .category = Category::kAdvisory, .durable = true});
  first.set({.type = "Now", .category = Category::kCritical});
  EXPECT_TRUE(first.blocked());
  Conditions second(first.end(), clock);
  EXPECT_TRUE(second.has("Done"));
  EXPECT_FALSE(second.blocked());
  EXPECT_EQ(second.end().size(), 1u);
  second.remove("Done");
  EXPECT_TRUE(second.end().empty());
}

TEST(Kinds, ReadTheSeedsManifests) {
  const auto plan = MigPlan::parse(parse_yaml_one(R"(
apiVersion: migration.openshift.io/v1alpha1
kind: MigPlan
metadata: {name: p, namespace: openshift-migration, uid: u}
spec:
  destMigClusterRef: {name: host, namespace: openshift-migration}
  indirectImageMigration: true
  indirectVolumeMigration: true
  migStorageRef: {name: s, namespace: openshift-migration}
  namespaces: [one, "three:drei"]
  srcMigClusterRef: {name: remote, namespace: openshift-migration}
)"));
  EXPECT_EQ(plan.source, (Ref{"openshift-migration", "remote"}));
  EXPECT_EQ(plan.namespaces.at(1).destination, "drei");
  EXPECT_EQ(plan.namespaces.at(0).destination, "one");
  EXPECT_FALSE(plan.ready);
}

TEST(Crds, DescribeEveryFieldAndAcceptTheSeeds) {
  ASSERT_EQ(crds().size(), 17u);
  std::map<std::string, Json> by_kind;
  const std::function<void(const Json&, const std::string&)> described = [&](const Json& schema,
                                                                             const std::string& path) {
    for (const auto& [name, property] : object_at(schema, "properties").items()) {
      if (name != "metadata") EXPECT_NE(string_at(property, "description"), "") << path << "." << name;
      described(property, path + "." + name);
      if (const auto* items = find(property, "items")) described(*items, path + "." + name + "[]");
    }
  };
  for (const auto& crd : crds()) {
    const auto kind = string_at(crd, "spec.names.kind");
    const auto& version = crd["spec"]["versions"][0];
    EXPECT_FALSE(version.contains("subresources")) << kind;
    described(version["schema"]["openAPIV3Schema"], kind);
    by_kind[kind] = version["schema"]["openAPIV3Schema"];
  }
  const auto migration = parse_yaml_one(
      "{spec: {migPlanRef: {name: p, namespace: ns}, quiescePods: true, stage: false, rollback: false}}");
  EXPECT_TRUE(validate_schema(by_kind["MigMigration"], migration).empty());
  EXPECT_FALSE(validate_schema(by_kind["MigMigration"], parse_yaml_one("{spec: {quiescePods: true}}")).empty());
}

}  // namespace
}  // namespace mtc::api
