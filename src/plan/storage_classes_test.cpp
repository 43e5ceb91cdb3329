#include "plan/storage_classes.hpp"

#include <gtest/gtest.h>

#include "json/yaml.hpp"

namespace mtc::plan {
namespace {

using enum api::VolumeMode;

Json volume(const std::string& spec) { return parse_yaml_one("{metadata: {name: pv}, spec: {" + spec + "}}"); }
Json claim(const std::string& modes) { return parse_yaml_one("{spec: {accessModes: [" + modes + "]}}"); }

TEST(StorageClasses, OfferWhatTheirProvisionerCan) {
  const StorageClass ebs{"gp2", "kubernetes.io/aws-ebs"}, ceph{"rbd", "openshift-storage.rbd.csi.ceph.com"},
      block{"g", "gluster.org/glusterblock-app"}, unknown{"x", "example.com/disk"};
  EXPECT_TRUE(ebs.supports("ReadWriteOnce", kFilesystem));
  EXPECT_FALSE(ebs.supports("ReadWriteMany", kFilesystem));
  EXPECT_FALSE(ebs.supports("ReadWriteOncePod", kFilesystem)) << "an in-tree plugin";
  EXPECT_TRUE(ceph.supports("ReadWriteMany", kBlock));
  EXPECT_FALSE(ceph.supports("ReadWriteMany", kFilesystem));
  EXPECT_TRUE(ceph.supports("ReadWriteOncePod", kFilesystem));
  EXPECT_TRUE(block.supports("ReadOnlyMany", kFilesystem));
  EXPECT_TRUE(unknown.supports("ReadWriteOnce", kFilesystem));
  EXPECT_FALSE(unknown.supports("ReadWriteOnce", kBlock));
  EXPECT_FALSE(unknown.supports("auto", kFilesystem));
}

TEST(StorageClasses, AreShownWithTheirAccessModes) {
  const StorageClasses classes = {{"fast", "ebs.csi.aws.com", true}, {"odd", "example.com/disk"}};
  EXPECT_EQ(
      dump(storage_class_status(classes)),
      R"([{"default":true,"name":"fast","provisioner":"ebs.csi.aws.com","volumeAccessModes":[)"
      R"({"accessModes":["ReadWriteOnce"],"volumeMode":"Filesystem"},)"
      R"({"accessModes":["ReadWriteOnce","ReadWriteMany"],"volumeMode":"Block"}]},)"
      R"({"name":"odd","provisioner":"example.com/disk","volumeAccessModes":[{"accessModes":["ReadWriteOnce"],"volumeMode":"Filesystem"}]}])");
}

TEST(StorageClasses, DefaultByEitherAnnotation) {
  const auto with = [](const char* annotation) {
    return StorageClass::parse(
        parse_yaml_one(std::string("{metadata: {name: c, annotations: {") + annotation + "}}, provisioner: p}"));
  };
  EXPECT_TRUE(with("storageclass.kubernetes.io/is-default-class: 'true'").is_default);
  EXPECT_TRUE(with("storageclass.beta.kubernetes.io/is-default-class: 'true'").is_default);
  EXPECT_FALSE(with("storageclass.kubernetes.io/is-default-class: 'false'").is_default);
  EXPECT_FALSE(with("").is_default);
}

TEST(DefaultClass, IsOfTheSameProvisionerAndNameIfThereIsOne) {
  const StorageClasses source = {{"gold", "example.com/disk"}, {"old", "kubernetes.io/aws-ebs"}};
  const StorageClasses destination = {{"bronze", "example.com/disk"},
                                      {"gold", "example.com/disk"},
                                      {"gp3", "ebs.csi.aws.com"},
                                      {"usual", "other", true}};
  const auto choice = [&](const std::string& spec) {
    return default_class(volume(spec), claim("ReadWriteOnce"), source, destination).name;
  };
  EXPECT_EQ(choice("storageClassName: gold"), "gold");
  EXPECT_EQ(choice("storageClassName: old"), "gp3") << "the driver that took the plugin's place";
  EXPECT_EQ(choice("storageClassName: unheard-of"), "usual");
  EXPECT_EQ(choice("capacity: {}"), "usual") << "no class at all";
  const StorageClasses only_bronze = {{"bronze", "example.com/disk"}, {"usual", "other", true}};
  EXPECT_EQ(default_class(volume("storageClassName: gold"), claim(""), source, only_bronze).name, "bronze");
  EXPECT_EQ(default_class(volume("storageClassName: gold"), claim(""), source, {{"x", "y"}}).name, "");
}

TEST(DefaultClass, OfAnOldVolumeComesFromTheAnnotation) {
  auto old = volume("capacity: {}");
  old["metadata"]["annotations"]["volume.beta.kubernetes.io/storage-class"] = "gold";
  EXPECT_EQ(class_of(old), "gold");
}

TEST(DefaultClass, OfGlusterAndNfsIsCeph) {
  const StorageClasses source = {{"g", "kubernetes.io/glusterfs"}};
  const StorageClasses ceph = {
      {"block", "x.rbd.csi.ceph.com"}, {"files", "x.cephfs.csi.ceph.com"}, {"usual", "o", true}};
  const StorageClasses without = {{"usual", "o", true}};
  const auto gluster = volume("storageClassName: g"), nfs = volume("nfs: {server: s, path: /}");
  EXPECT_EQ(default_class(gluster, claim("ReadWriteOnce, ReadWriteMany"), source, ceph).name, "files");
  EXPECT_EQ(default_class(gluster, claim("ReadWriteOnce"), source, ceph).name, "block");
  EXPECT_EQ(default_class(nfs, claim("ReadOnlyMany"), source, ceph).name, "files");
  EXPECT_TRUE(default_class(gluster, claim(""), source, without).lacks_ceph);
  EXPECT_EQ(default_class(gluster, claim(""), source, without).name, "usual");
  EXPECT_FALSE(default_class(nfs, claim(""), source, without).lacks_ceph);
}

}  // namespace
}  // namespace mtc::plan
