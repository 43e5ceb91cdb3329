#include "sandbox/pod_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "json/yaml.hpp"

namespace mtc::sandbox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Json pod_of(const std::string& container) {
  auto pod = parse_yaml_one(
      "{metadata: {namespace: shop, name: mover, labels: {app.kubernetes.io/name: x}}, status: {podIP: 127.9.8.7}}");
  pod["spec"]["containers"] = Json::array({parse_yaml_one(container)});
  return pod;
}

TEST(PodCommand, IsForOneContainerOfMtcsImage) {
  const auto is = [](const std::string& image) { return is_process(pod_of("{name: a, image: '" + image + "'}")); };
  for (const auto* image : {"x/mtc", "ghcr.io/mtc/mtc:1.0", "host:5000/x/mtc:1", "x/mtc@sha256:0123"})
    EXPECT_TRUE(is(image)) << image;
  for (const auto* image : {"mtc", "x/mtc/web:1", "x/web:mtc", "x/notmtc", "lab.mtc/pause:1", ""})
    EXPECT_FALSE(is(image)) << image;
  auto two = pod_of("{name: a, image: x/mtc}");
  two["spec"]["containers"].push_back({{"name", "b"}, {"image", "x/mtc"}});
  EXPECT_FALSE(is_process(two));
}

TEST(PodCommand, ExpandsVariablesAsAKubeletDoes) {
  const std::vector<std::pair<std::string, std::string>> variables = {{"A", "1"}, {"B", "2"}, {"A", "3"}};
  EXPECT_EQ(expand("$(A)-$(B)", variables), "3-2");
  EXPECT_EQ(expand("$(C) $A $ $(", variables), "$(C) $A $ $(");
  EXPECT_EQ(expand("$$(A) $$$(A)", variables), "$(A) $3");
  EXPECT_EQ(expand("", variables), "");
}

TEST(PodCommand, FillsInWhereThingsAre) {
  Storage storage(":memory:");
  storage.put({"secrets", "shop", "s"}, {{"data", {{"k", base64_encode("secret")}}}});
  storage.put({"configmaps", "shop", "c"}, {{"data", {{"k", "config"}}}});
  const auto pod = pod_of(R"yaml({name: a, image: x/mtc, command: [/usr/bin/mtc, --log-level, debug], env: [
    {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}},
    {name: SELF, valueFrom: {fieldRef: {fieldPath: metadata.name}}},
    {name: LABEL, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app.kubernetes.io/name']"}}},
    {name: SECRET, valueFrom: {secretKeyRef: {name: s, key: k}}},
    {name: CONFIG, valueFrom: {configMapKeyRef: {name: c, key: k}}},
    {name: NONE, valueFrom: {configMapKeyRef: {name: gone, key: k, optional: true}}},
    {name: AT, value: "$(POD_IP):6443"},
    {name: DIR, value: /volume/inner}],
    args: [mover, receive, --volume, /volume, --tls=/etc/mtc-mover, --listen, "$(AT)", /volumes, /volume/inner/x]})yaml");
  const auto made =
      command_of(pod, {{"/volume", "/real"}, {"/etc/mtc-mover", "/keys"}, {"/volume/inner", "/other"}}, storage);
  EXPECT_THAT(made.arguments, ElementsAre("--log-level", "debug", "mover", "receive", "--volume", "/real",
                                          "--tls=/keys", "--listen", "127.9.8.7:6443", "/volumes", "/other/x"));
  EXPECT_THAT(made.environment, ElementsAre("POD_IP=127.9.8.7", "SELF=mover", "LABEL=x", "SECRET=secret",
                                            "CONFIG=config", "AT=127.9.8.7:6443", "DIR=/other"));
}

std::string refusal_of(const Json& pod) {
  const Storage storage(":memory:");
  try {
    command_of(pod, {}, storage);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(PodCommand, NamesWhatIsMissing) {
  EXPECT_EQ(refusal_of(pod_of("{image: x/mtc, env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}")),
            "secret \"s\" not found");
  EXPECT_THAT(refusal_of(pod_of("{image: x/mtc, command: [/bin/sh]}")), HasSubstr("runs mtc and no other program"));
}

}  // namespace
}  // namespace mtc::sandbox
