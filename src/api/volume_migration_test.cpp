#include "api/volume_migration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "json/yaml.hpp"

namespace mtc::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

DirectVolumeMigration with_claims(std::string_view claims) {
  return DirectVolumeMigration::parse(parse_yaml_one(std::string(R"(
metadata: {name: d, namespace: openshift-migration, uid: u}
spec:
  migrationType: CutOver
  persistentVolumeClaims: )") + std::string(claims)));
}

std::string refusal(std::string_view claims) {
  try {
    with_claims(claims);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalid);
    return error.what();
  }
  return "";
}

TEST(DirectVolumeMigration, ReadsItsClaims) {
  const auto dvm = with_claims(
      "[{namespace: shop, name: data, targetStorageClass: fast, targetAccessModes: [ReadWriteOnce], targetNamespace: "
      "boutique, targetName: new-data, targetCapacity: 5Gi, verify: true}]");
  EXPECT_EQ(dvm.type, CopyType::kCutOver);
  ASSERT_EQ(dvm.claims.size(), 1U);
  EXPECT_EQ(dvm.claims[0].source, (Ref{"shop", "data"}));
  EXPECT_EQ(dvm.claims[0].target, (Ref{"boutique", "new-data"}));
  EXPECT_EQ(dvm.claims[0].storage_class, "fast");
  EXPECT_THAT(dvm.claims[0].access_modes, ElementsAre("ReadWriteOnce"));
  EXPECT_EQ(dvm.claims[0].capacity, "5Gi");
  EXPECT_TRUE(dvm.claims[0].verify);
}

// BUG 26 of direct-volume.md: the original looks the target up by an empty name.
TEST(DirectVolumeMigration, ATargetThatIsNotNamedIsNamedAsTheSource) {
  const auto dvm = with_claims("[{namespace: shop, name: data}]");
  EXPECT_EQ(dvm.claims.at(0).target, (Ref{"shop", "data"}));
}

TEST(DirectVolumeMigration, TellsNoListFromAnEmptyOne) {
  EXPECT_TRUE(with_claims("[]").has_claims);
  EXPECT_FALSE(with_claims("").has_claims);
}

TEST(DirectVolumeMigration, RefusesWhatCannotBeNamesOnACluster) {
  EXPECT_THAT(refusal("[{namespace: shop, name: a}, {namespace: shop, name: '../b'}]"),
              HasSubstr("[1].name is no name"));
  EXPECT_THAT(refusal("[{namespace: '', name: a}]"), HasSubstr("[0].namespace is no name"));
  EXPECT_THAT(refusal("[{namespace: shop, name: a, targetNamespace: A_B}]"), HasSubstr("targetNamespace"));
  EXPECT_THAT(refusal("[{namespace: s, name: a, targetName: c}, {namespace: s, name: b, targetName: c}]"),
              HasSubstr("s/c is the target of an earlier entry"));
}

TEST(DirectVolumeMigration, AnUnknownTypeIsAStage) {
  EXPECT_EQ(parse_copy_type("cutover"), CopyType::kStage);
  for (const auto type : {CopyType::kStage, CopyType::kCutOver, CopyType::kRollback})
    EXPECT_EQ(parse_copy_type(to_string(type)), type);
}

TEST(VolumeProgress, ReadsBothForms) {
  const auto one = VolumeProgress::parse(parse_yaml_one("{spec: {podRef: {namespace: shop, name: p}}}"));
  EXPECT_TRUE(one.pod.set());
  const auto many = VolumeProgress::parse(
      parse_yaml_one("{spec: {podNamespace: shop, podSelector: {a: b, c: 1}, clusterRef: {namespace: ns, name: c}}}"));
  EXPECT_EQ(many.selector, (std::map<std::string, std::string>{{"a", "b"}}));
  EXPECT_EQ(many.cluster, (Ref{"ns", "c"}));
}

}  // namespace
}  // namespace mtc::api
