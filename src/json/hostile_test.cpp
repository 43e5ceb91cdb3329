#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "json/json.hpp"
#include "json/jsonpath.hpp"
#include "json/patch.hpp"
#include "json/schema.hpp"
#include "json/selector.hpp"
#include "json/yaml.hpp"

// What strangers could send, found by the fuzzers.

namespace mtc {
namespace {

using testing::HasSubstr;

std::string refusal_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.code() == Code::kInvalid ? error.what() : "not kInvalid";
  }
  return "";
}

std::string refused_patch(const char* target, const char* patch) {
  return refusal_of([&] { apply_json_patch(parse_json(target), parse_json(patch)); });
}

TEST(HostileJsonPatch, FindsNoPlaceInsideAValue) {
  EXPECT_THAT(refused_patch(R"({"a":"x"})", R"([{"op":"add","path":"/a/b","value":1}])"),
              HasSubstr("neither object nor"));
  EXPECT_THAT(refused_patch(R"({"a":"x"})", R"([{"op":"copy","from":"/a","path":"/a/b"}])"),
              HasSubstr("neither object nor"));
  EXPECT_NE(refused_patch(R"({"a":"x"})", R"([{"op":"remove","path":"/a/b"}])"), "");
  EXPECT_NE(refused_patch(R"([[],1])", R"([{"op":"move","from":"/0","path":"/0/x"}])"), "");
  EXPECT_NE(refused_patch("{}", R"([{"op":"remove","path":""}])"), "");
  EXPECT_NE(refused_patch("[1]", R"([{"op":"add","path":"/01","value":1}])"), "");
  EXPECT_NE(refused_patch("[1]", R"([{"op":"add","path":"/2","value":1}])"), "");
}

TEST(HostileJsonPatch, CannotGrowWithoutBound) {
  Json doubling = Json::array();
  for (int i = 0; i < 40; ++i) doubling.push_back({{"op", "copy"}, {"from", "/a"}, {"path", "/a/-"}});
  EXPECT_THAT(refusal_of([&] { apply_json_patch({{"a", {std::string(1000, 'x')}}}, doubling); }),
              HasSubstr("copies more than"));
  Json deep = Json::array();
  std::string path;
  for (int i = 0; i < 600; ++i) deep.push_back({{"op", "add"}, {"path", path += "/a"}, {"value", Json::object()}});
  EXPECT_THAT(refusal_of([&] { apply_json_patch(Json::object(), deep); }), HasSubstr("nests deeper"));
  const Json test = {{"op", "test"}, {"path", ""}, {"value", Json::object()}};
  EXPECT_THAT(refusal_of([&] { apply_json_patch(Json::object(), Json(10'001, test)); }), HasSubstr("more than 10000"));
}

TEST(HostileStrategicPatch, NeedsListsInItsListDirectives) {
  const auto target =
      parse_json(R"({"spec":{"containers":[{"name":"a"},{"name":"b"}],"strategy":{"type":"x"}},"f":["a"]})");
  for (const auto* patch :
       {R"({"spec":{"$setElementOrder/containers":{"a":"b"}}})", R"({"$setElementOrder/f":"a"})",
        R"({"spec":{"strategy":{"$retainKeys":"type"}}})", R"({"$deleteFromPrimitiveList/f":"a"})"}) {
    EXPECT_NE(refusal_of([&] { apply_strategic_patch(target, parse_json(patch), "Deployment"); }), "") << patch;
  }
}

TEST(HostileYaml, AliasesAddUpNeitherInDepthNorInMemory) {
  std::string nested = "a0: &a0 x\n";
  for (int i = 1; i < 100; ++i) {
    nested += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " " + std::string(100, '[') + "*a" +
              std::to_string(i - 1) + std::string(100, ']') + "\n";
  }
  EXPECT_THAT(refusal_of([&] { parse_yaml(nested); }), HasSubstr("aliases nest deeper"));
  std::string copies;
  for (int i = 0; i < 400; ++i) copies += "&a" + std::to_string(i) + " [";
  for (int i = 0; i < 10'000; ++i) copies += "x,";
  EXPECT_THAT(refusal_of([&] { parse_yaml(copies + std::string(400, ']')); }), HasSubstr("too many values"));
}

TEST(HostileYaml, IsWrittenSoThatEveryStringComesBack) {
  for (const auto* text :
       {"a\x7f", "\xC2\x85", "a\xE2\x80\xA8 b\n", "\xEF\xBB\xBFx", "\xEF\xBF\xBF", "...", "... x", "two\nlines\n\n"}) {
    for (const Json& value : {Json(text), Json{{"k", text}}, Json{{text, "v"}}}) {
      EXPECT_EQ(parse_yaml_one(to_yaml(value)), value) << to_yaml(value);
    }
  }
  const std::string long_key(2000, 'k');
  const Json value = {{long_key, {{long_key, {1, 2}}}}, {"z", {{{long_key, "x"}}}}};
  EXPECT_EQ(parse_yaml_one(to_yaml(value)), value);
}

TEST(HostileJsonPath, IsBounded) {
  EXPECT_NE(refusal_of([] { JsonPath(".l[9223372036854775807]"); }), "");
  EXPECT_NE(refusal_of([] { JsonPath(".l[?(@.a==x)]"); }), "");
  std::string document = "1", path;
  for (int i = 0; i < 60; ++i) document = fmt::format(R"({{"a":{}}})", document);
  for (int i = 0; i < 20; ++i) path += "..a";
  EXPECT_EQ(JsonPath(path).find(parse_json(document)).size(), 41U);
}

TEST(HostileSchema, HasDefaultsWithinBounds) {
  Json schema = parse_json(R"({"type":"object"})");
  for (int level = 0; level < 6; ++level) {
    Json list = {{"type", "array"}, {"items", schema}};
    list["default"] = Json(100, Json::object());
    schema = Json::object();
    schema["properties"]["list"] = list;
  }
  Json value = Json::object();
  EXPECT_THAT(refusal_of([&] { apply_defaults(schema, value); }), HasSubstr("more than 1000000 values"));
}

TEST(HostileSelector, RefusesValuesThatWouldChangeItsText) {
  EXPECT_NE(refusal_of([] { Selector::from_json(parse_json(R"({"matchLabels":{"a":"b,c!=d"}})")); }), "");
  EXPECT_NE(refusal_of([] { Selector::from_json(parse_json(R"({"matchLabels":{"":"b"}})")); }), "");
  EXPECT_NE(refusal_of([] { Selector::parse("a in (b,(c))"); }), "");
  EXPECT_NE(refusal_of([] { Selector::parse_fields("a=b==c"); }), "");
}

TEST(HostileSelector, RefusesOperatorsWithoutWhatTheyCompareWith) {
  const auto refused = [](const std::string& op, const std::string& values) {
    const auto text = R"({"matchExpressions":[{"key":"a","operator":")" + op + R"(","values":)" + values + "}]}";
    return refusal_of([&] { Selector::from_json(parse_json(text)); });
  };
  EXPECT_THAT(refused("In", "[]"), HasSubstr("operator In needs values"));
  EXPECT_THAT(refused("NotIn", "null"), HasSubstr("operator NotIn needs values"));
  EXPECT_THAT(refused("Exists", R"(["b"])"), HasSubstr("operator Exists takes no values"));
  EXPECT_EQ(refused("DoesNotExist", "[]"), "");
}

}  // namespace
}  // namespace mtc
