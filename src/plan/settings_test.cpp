#include "plan/settings.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

namespace mtc::plan {
namespace {

Settings from(const std::map<std::string, const char*>& environment) {
  return Settings::from([&](const char* name) {
    const auto at = environment.find(name);
    return at == environment.end() ? nullptr : at->second;
  });
}

TEST(Settings, AreTheOriginalsWithoutVariables) {
  const auto preset = from({});
  EXPECT_EQ(preset.namespace_limit, 10u);
  EXPECT_EQ(preset.pod_limit, 100u);
  EXPECT_EQ(preset.excluded_resources.size(), 14u);
  EXPECT_EQ(preset.pv_limit, 100u);
  EXPECT_FALSE(preset.excludes_volumes());
  EXPECT_EQ(preset.cluster_subdomain, "");
  EXPECT_FALSE(preset.resizes_volumes);
}

TEST(Settings, ComeFromTheEnvironment) {
  const auto set = from({{"NAMESPACE_LIMIT", "200"},
                         {"POD_LIMIT", "many"},
                         {"PV_LIMIT", "7"},
                         {"PV_MOVE_STORAGECLASSES", "gold,silver"},
                         {"EXCLUDED_RESOURCES", "events,builds"},
                         {"ENABLE_DVM_PV_RESIZING", "true"},
                         {"CLUSTER_SUBDOMAIN", "apps.example.com"}});
  EXPECT_EQ(set.namespace_limit, 200u);
  EXPECT_EQ(set.pod_limit, 100u);
  EXPECT_EQ(set.pv_limit, 7u);
  EXPECT_EQ(set.moved_classes, (std::vector<std::string>{"gold", "silver"}));
  EXPECT_EQ(set.excluded_resources, (std::vector<std::string>{"events", "builds"}));
  EXPECT_EQ(set.cluster_subdomain, "apps.example.com");
  EXPECT_TRUE(set.resizes_volumes);
  EXPECT_FALSE(from({{"ENABLE_DVM_PV_RESIZING", "false"}}).resizes_volumes);
}

TEST(Settings, MayTakeVolumesOutOfAllPlans) {
  EXPECT_TRUE(from({{"EXCLUDED_RESOURCES", "events,persistentvolumes"}}).excludes_volumes());
  EXPECT_TRUE(from({{"EXCLUDED_RESOURCES", "persistentvolumeclaims"}}).excludes_volumes());
}

}  // namespace
}  // namespace mtc::plan
