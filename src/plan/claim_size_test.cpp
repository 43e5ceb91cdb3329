#include "plan/claim_size.hpp"

#include <gtest/gtest.h>

#include "json/yaml.hpp"

namespace mtc::plan {
namespace {

struct Wish {
  bool resizes, confirmed;
  const char* proposed;
  const char* capacity = "2Gi";
  api::VolumeAction action = api::VolumeAction::kCopy;
};

std::string wanted(const Wish& wish) {
  Settings settings;
  settings.resizes_volumes = wish.resizes;
  api::PlanVolume volume;
  volume.capacity = wish.capacity;
  volume.proposed_capacity = wish.proposed;
  volume.capacity_confirmed = wish.confirmed;
  volume.action = wish.action;
  return wanted_capacity(settings, volume);
}

TEST(WantedCapacity, IsWhatAUserConfirmed) {
  EXPECT_EQ(wanted({false, false, "5Gi"}), "") << "nobody agreed";
  EXPECT_EQ(wanted({false, true, "5Gi"}), "5Gi");
  EXPECT_EQ(wanted({false, true, "0"}), "");
}

TEST(WantedCapacity, IsTheLargestWhereTheOperatorResizes) {
  EXPECT_EQ(wanted({true, false, "5Gi"}), "5Gi");
  EXPECT_EQ(wanted({true, false, "0"}), "2Gi");
  EXPECT_EQ(wanted({true, true, "1Gi"}), "2Gi");
}

TEST(WantedCapacity, OfAVolumeThatIsMovedIsItsOwn) {
  EXPECT_EQ(wanted({true, true, "5Gi", "2Gi", api::VolumeAction::kMove}), "");
}

std::string asks(const char* source, const char* volume = "{}", const char* capacity = "") {
  return target_request(parse_yaml_one(source), parse_yaml_one(volume), capacity);
}

TEST(TargetRequest, OfFilesIsTheSourcesUnlessMoreIsWanted) {
  constexpr auto kFiles = "{spec: {resources: {requests: {storage: 1Gi}}}, status: {capacity: {storage: 3Gi}}}";
  EXPECT_EQ(asks(kFiles), "1Gi");
  EXPECT_EQ(asks(kFiles, "{spec: {capacity: {storage: 3Gi}}}"), "1Gi");
  EXPECT_EQ(asks(kFiles, "{}", "5Gi"), "5Gi");
  EXPECT_EQ(asks(kFiles, "{}", "1023Mi"), "1Gi") << "never less than the source's";
  EXPECT_EQ(asks(kFiles, "{}", "1024Mi"), "1Gi");
}

TEST(TargetRequest, OfADeviceIsAllThatItHas) {
  constexpr auto kDevice =
      "{spec: {volumeMode: Block, resources: {requests: {storage: 1Gi}}}, status: {capacity: {storage: 2Gi}}}";
  EXPECT_EQ(asks("{spec: {volumeMode: Block, resources: {requests: {storage: 1Gi}}}}"), "1Gi");
  EXPECT_EQ(asks(kDevice), "2Gi");
  EXPECT_EQ(asks(kDevice, "{spec: {capacity: {storage: 2049Mi}}}"), "2049Mi");
  EXPECT_EQ(asks(kDevice, "{}", "3Gi"), "3Gi");
  EXPECT_EQ(asks(kDevice, "{}", "1Gi"), "2Gi");
}

}  // namespace
}  // namespace mtc::plan
