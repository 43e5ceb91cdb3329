#include "sandbox/pod_mounts.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "json/yaml.hpp"

namespace mtc::sandbox {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class PodMounts : public testing::Test {
 protected:
  Json pod(const std::string& volumes, const std::string& mounts, const char* list = "volumeMounts") const {
    return {{"metadata", {{"namespace", "shop"}, {"name", "p"}, {"uid", "0-1"}}},
            {"spec",
             {{"volumes", parse_yaml_one(volumes)}, {"containers", Json::array({{{list, parse_yaml_one(mounts)}}})}}}};
  }
  /// A claim "c" with a volume there.
  void bind(const char* mode, const fs::path& path) {
    storage_.put({"persistentvolumeclaims", "shop", "c"}, {{"spec", {{"volumeName", "pv"}, {"volumeMode", mode}}}});
    storage_.put({"persistentvolumes", "", "pv"},
                 {{"spec", {{"volumeMode", mode}, {"hostPath", {{"path", path.string()}}}}}});
  }
  std::string refusal_of(const std::string& volumes, const std::string& mounts = "[{name: v, mountPath: /v}]") {
    try {
      mounts_of(pod(volumes, mounts), storage_, folder_);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  static std::string content(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  Storage storage_{":memory:"};
  Folder folder_{":memory:"};
};

TEST_F(PodMounts, AreFilesForTheirOwnerAlone) {
  storage_.put({"secrets", "shop", "s"}, {{"kind", "Secret"}, {"data", {{"tls.key", base64_encode("key")}}}});
  storage_.put({"configmaps", "shop", "c"}, {{"kind", "ConfigMap"}, {"data", {{"a", "1"}, {"b", "2"}}}});
  const auto mounts = mounts_of(
      pod("[{name: s, secret: {secretName: s}}, {name: c, configMap: {name: c, items: [{key: b, path: x/y}]}}, "
          "{name: e, emptyDir: {}}]",
          "[{name: s, mountPath: /s/}, {name: c, mountPath: /c, subPath: x}, {name: e, mountPath: /e}]"),
      storage_, folder_);
  ASSERT_EQ(mounts.size(), 3u);
  EXPECT_EQ(mounts[0].path, "/s");
  const auto key = fs::path(mounts[0].place) / "tls.key";
  EXPECT_EQ(content(key), "key");
  EXPECT_EQ(fs::status(key).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(content(fs::path(mounts[1].place) / "y"), "2");
  EXPECT_TRUE(fs::is_empty(mounts[2].place));
  unmount(folder_.pod("0-1"));
  EXPECT_FALSE(fs::exists(key));
}

TEST_F(PodMounts, TellWhatBecomesOfThePod) {
  auto pod = this->pod(
      "[{name: v, downwardAPI: {items: [{path: a/x, fieldRef: {fieldPath: \"metadata.annotations['x']\"}}, "
      "{path: name, fieldRef: {fieldPath: metadata.name}}]}}]",
      "[{name: v, mountPath: /v}]");
  const fs::path place = mounts_of(pod, storage_, folder_).at(0).place;
  EXPECT_EQ(content(place / "name"), "p");
  EXPECT_EQ(content(place / "a/x"), "");
  pod["metadata"]["annotations"]["x"] = "new";
  refresh_mounts(pod, folder_);
  EXPECT_EQ(content(place / "a/x"), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(place / "a"), {}), 1);
}

TEST_F(PodMounts, AreTheDirectoriesOfClaims) {
  const auto directory = folder_.volume("pv");
  folder_.make(directory);
  bind("Filesystem", directory);
  const auto mounts = mounts_of(pod("[{name: v, persistentVolumeClaim: {claimName: c}}]", "[{name: v, mountPath: /v}]"),
                                storage_, folder_);
  EXPECT_EQ(mounts.at(0).place, directory);
  unmount(folder_.pod("0-1"));
  EXPECT_TRUE(fs::exists(directory));
}

TEST_F(PodMounts, AreTheFilesThatStandForDevices) {
  const auto file = folder_.volume("pv");
  folder_.make_file(file, 4096);
  bind("Block", file);
  const auto volumes = "[{name: v, persistentVolumeClaim: {claimName: c}}]";
  const auto mounts = mounts_of(pod(volumes, "[{name: v, devicePath: /dev/v}]", "volumeDevices"), storage_, folder_);
  EXPECT_EQ(mounts.at(0).path, "/dev/v");
  EXPECT_EQ(mounts.at(0).place, file);
  EXPECT_EQ(refusal_of(volumes), "volume v has volumeMode Block, but is specified in volumeMounts");
  fs::remove(file);
  EXPECT_THAT(refusal_of(volumes, "[]"), HasSubstr("is not there"));
}

TEST_F(PodMounts, AreNoDevicesIfTheyAreFileSystems) {
  bind("Filesystem", folder_.volume("pv"));
  const auto wrong =
      pod("[{name: v, persistentVolumeClaim: {claimName: c}}]", "[{name: v, devicePath: /dev/v}]", "volumeDevices");
  EXPECT_EQ(misused(wrong, storage_), "volume v has volumeMode Filesystem, but is specified in volumeDevices");
  auto early = wrong;
  early["spec"]["initContainers"] = early["spec"]["containers"];
  early["spec"]["containers"] = Json::array({Json::object()});
  EXPECT_EQ(misused(early, storage_), misused(wrong, storage_));
}

TEST_F(PodMounts, SayWhatIsNotThereAndWhatCannotBe) {
  EXPECT_EQ(refusal_of("[{name: v, secret: {secretName: gone}}]"), "secret \"gone\" not found");
  EXPECT_EQ(refusal_of("[{name: v, secret: {secretName: gone, optional: true}}]"), "");
  EXPECT_THAT(refusal_of("[{name: v, persistentVolumeClaim: {claimName: c}}]"), HasSubstr("has no volume"));
  EXPECT_THAT(refusal_of("[{name: v, hostPath: {path: /etc}}]"), HasSubstr("mounts claims, Secrets"));
  EXPECT_THAT(refusal_of("[]"), HasSubstr("there is no volume \"v\""));
}

TEST_F(PodMounts, DoNotLeadOutOfTheirVolume) {
  EXPECT_THAT(refusal_of("[{name: ../../v, emptyDir: {}}]"), HasSubstr("no valid name"));
  for (const auto* path : {"../x", "a/../../x", "/etc"}) {
    EXPECT_THAT(
        refusal_of("[{name: v, emptyDir: {}}]", "[{name: v, mountPath: /v, subPath: '" + std::string(path) + "'}]"),
        HasSubstr("leads out of its volume"));
  }
  storage_.put({"configmaps", "shop", "c"}, {{"kind", "ConfigMap"}, {"data", {{"a", "1"}}}});
  EXPECT_THAT(refusal_of("[{name: v, configMap: {name: c, items: [{key: a, path: ../../x}]}}]"),
              HasSubstr("leads out of its volume"));
}

}  // namespace
}  // namespace mtc::sandbox
