#include "sandbox/protobuf.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace mtc::sandbox {
namespace {

std::string field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

std::string config_map_named(const std::string& name) {
  const auto type = field(1, "v1") + field(2, "ConfigMap");
  return std::string("k8s\0", 4) + field(1, type) + field(2, field(1, field(1, name)));
}

TEST(Protobuf, IsReadAsTheObjectItIs) {
  const auto object = from_protobuf(config_map_named("settings"));
  ASSERT_TRUE(object);
  EXPECT_EQ(dump(*object), R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"}})");
}

TEST(Protobuf, RefusesTextThatIsNone) {
  EXPECT_THROW(from_protobuf(config_map_named("\xFF")), Error);
  EXPECT_THROW(from_protobuf(config_map_named("settings").substr(0, 20)), Error);
}

}  // namespace
}  // namespace mtc::sandbox
