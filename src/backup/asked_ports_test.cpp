#include "backup/asked_ports.hpp"

#include <gtest/gtest.h>

#include "json/json.hpp"

namespace mtc::backup {
namespace {

Json service(Json metadata) {
  return {{"metadata", std::move(metadata)},
          {"spec",
           {{"ports", Json::array({{{"name", "http"}, {"port", 80}, {"protocol", "TCP"}, {"nodePort", 30080}},
                                   {{"port", 443}, {"nodePort", 30443}}})},
            {"healthCheckNodePort", 30999}}}};
}

bool asked(const Json& object, std::size_t port) { return AskedPorts(object).node_port(object["spec"]["ports"][port]); }

TEST(AskedPorts, AreNoneWhereNobodyAsked) {
  const auto object = service({{"name", "web"}});
  EXPECT_FALSE(asked(object, 0));
  EXPECT_FALSE(asked(object, 1));
  EXPECT_FALSE(AskedPorts(object).health_check());
}

TEST(AskedPorts, StandInWhatWasApplied) {
  const auto object = service(
      {{"annotations",
        {{"kubectl.kubernetes.io/last-applied-configuration",
          R"({"spec":{"healthCheckNodePort":30999,"ports":[{"name":"http","port":80,"nodePort":30080},{"port":443}]}})"}}}});
  EXPECT_TRUE(asked(object, 0));
  EXPECT_FALSE(asked(object, 1));
  EXPECT_TRUE(AskedPorts(object).health_check());
}

TEST(AskedPorts, AreOwnedByWhoSetThem) {
  const Json owned = {{R"(k:{"port":443,"protocol":"TCP"})", {{"f:nodePort", Json::object()}}},
                      {R"(k:{"port":80,"protocol":"TCP"})", {{"f:port", Json::object()}}}};
  const auto object = service(
      {{"managedFields", Json::array({{{"manager", "kubectl"}, {"fieldsV1", {{"f:spec", {{"f:ports", owned}}}}}}})}});
  EXPECT_FALSE(asked(object, 0));
  EXPECT_TRUE(asked(object, 1));
}

TEST(AskedPorts, ReadNothingIntoNonsense) {
  const auto object = service({{"annotations", {{"kubectl.kubernetes.io/last-applied-configuration", "no json"}}},
                               {"managedFields", {"no", "objects"}}});
  EXPECT_FALSE(asked(object, 0));
}

}  // namespace
}  // namespace mtc::backup
