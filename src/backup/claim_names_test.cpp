#include "backup/claim_names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "json/json.hpp"
#include "json/yaml.hpp"

namespace mtc::backup {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ArchivedObject at(const char* kind, const char* name) { return {kind, "shop", name}; }

TEST(ClaimNames, AreFollowedByWhateverMakesPods) {
  const ClaimNames names = {{"shop/data", "new-data"}, {"shop/logs", "logs"}, {"other/data", "wrong"}};
  const std::string volumes =
      "{volumes: [{name: a, persistentVolumeClaim: {claimName: data}}, {name: b, emptyDir: {}}, "
      "{name: c, persistentVolumeClaim: {claimName: logs}}]}";
  const std::pair<const char*, std::string> cases[] = {
      {"pods", "{spec: " + volumes + "}"},
      {"deployments.apps", "{spec: {template: {spec: " + volumes + "}}}"},
      {"cronjobs.batch", "{spec: {jobTemplate: {spec: {template: {spec: " + volumes + "}}}}}"}};
  for (const auto& [kind, yaml] : cases) {
    auto object = parse_yaml_one(yaml);
    EXPECT_THAT(rename_claims(at(kind, "x"), object, names), ElementsAre("mounts claim new-data instead of data"))
        << kind;
    const auto text = dump(object);
    EXPECT_TRUE(text.contains(R"("claimName":"new-data")")) << text;
    EXPECT_TRUE(text.contains(R"("claimName":"logs")")) << text;
  }
  auto map = parse_yaml_one("{data: {claimName: data}}");
  EXPECT_THAT(rename_claims(at("configmaps", "x"), map, names), IsEmpty());
}

TEST(ClaimNames, AStatefulSetMakesClaimsOfTheNewName) {
  auto set = parse_yaml_one(
      "{spec: {volumeClaimTemplates: [{metadata: {name: data}}, {metadata: {name: tmp}}], template: {spec: "
      "{containers: "
      "[{name: c, volumeMounts: [{name: data, mountPath: /d}, {name: tmp, mountPath: /t}]}]}}}}");
  const ClaimNames names = {
      {"shop/data-db-0", "files-db-0"}, {"shop/data-db-1", "files-db-1"}, {"shop/tmp-db-0", "tmp-db-0"}};
  EXPECT_THAT(rename_claims(at("statefulsets.apps", "db"), set, names),
              ElementsAre("its claims are named files instead of data"));
  EXPECT_EQ(string_at(set["spec"]["volumeClaimTemplates"][0], "metadata.name"), "files");
  EXPECT_EQ(dump(set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]),
            R"([{"mountPath":"/d","name":"files"},{"mountPath":"/t","name":"tmp"}])");
}

TEST(ClaimNames, AStatefulSetThatCannotFollowIsRefused) {
  for (const auto& names : {ClaimNames{{"shop/data-db-0", "elsewhere"}}, ClaimNames{{"shop/data-db-0", "files-db-1"}},
                            ClaimNames{{"shop/data-db-0", "files-db-0"}, {"shop/data-db-1", "data-db-1"}}}) {
    auto set = parse_yaml_one("{spec: {volumeClaimTemplates: [{metadata: {name: data}}]}}");
    EXPECT_THROW(rename_claims(at("statefulsets.apps", "db"), set, names), Error);
  }
}

}  // namespace
}  // namespace mtc::backup
