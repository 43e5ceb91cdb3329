#include "json/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/rng.hpp"
#include "json/jsonpath.hpp"
#include "json/patch.hpp"
#include "json/schema.hpp"
#include "json/selector.hpp"
#include "json/yaml.hpp"

namespace mtc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string failure_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Json random_json(Rng& rng, int depth) {
  switch (rng.below(depth > 0 ? 7 : 5)) {
    case 0: return nullptr;
    case 1: return rng.below(2) == 0;
    case 2: return static_cast<std::int64_t>(rng.next() >> 1);
    case 3: return static_cast<double>(rng.below(1'000'000)) / 7;
    case 4: {
      const std::vector<std::string> texts = {"",  "yes", "012",  "1e3",     "a: b", "- x",  "two\nlines\n",
                                              "~", "ünï", "null", " blank ", "#c",   "plain"};
      return texts[rng.below(texts.size())];
    }
    case 5: {
      Json out = Json::array();
      for (auto i = rng.below(4); i > 0; --i) out.push_back(random_json(rng, depth - 1));
      return out;
    }
    default: {
      Json out = Json::object();
      for (auto i = rng.below(4); i > 0; --i) out["k" + std::to_string(rng.below(9))] = random_json(rng, depth - 1);
      return out;
    }
  }
}

TEST(Json, SaysWhereTextIsBroken) {
  EXPECT_THAT(failure_of([] { parse_json("{\n  \"a\": tru }"); }), HasSubstr("not JSON (line 2, column"));
  EXPECT_THAT(failure_of([] { parse_json(std::string(200'000, '[')); }), HasSubstr("nested deeper"));
  EXPECT_THROW(parse_json("\"\xff\""), Error);
  EXPECT_THROW(parse_json("[1, 2]", {.max_bytes = 3}), Error);
}

TEST(Json, ReadsWithoutInserting) {
  const auto value = parse_json(R"({"a":{"b":"x","n":3,"t":true,"l":["p",1,"q"]}})");
  EXPECT_EQ(string_at(value, "a.b"), "x");
  EXPECT_EQ(int_at(value, "a.n"), 3);
  EXPECT_EQ(int_at(value, "a.b"), std::nullopt);
  EXPECT_TRUE(bool_at(value, "a.t"));
  EXPECT_THAT(strings_at(value, "a.l"), ElementsAre("p", "q"));
  EXPECT_TRUE(array_at(value, "no.where").empty());
  Json changed = value;
  set_at(changed, "a.c.d", 1);
  erase_at(changed, "a.b");
  EXPECT_EQ(dump(changed), R"({"a":{"c":{"d":1},"l":["p",1,"q"],"n":3,"t":true}})");
}

TEST(Json, EscapesAsGoDoes) { EXPECT_EQ(dump_go(Json("<a&b>\xE2\x80\xA8")), R"("\u003ca\u0026b\u003e\u2028")"); }

TEST(Yaml, ReadsScalarsAsKubernetesDoes) {
  const auto value = parse_yaml_one(
      "yes: on\noctal: 012\nunder: 1_000\nhex: 0x1F\nexp: 1e3\ndate: 2026-01-01\ntime: 1:30\nquoted: "
      "\"yes\"\nnothing:\nfloat: 1.5\n");
  EXPECT_EQ(
      dump(value),
      R"({"date":"2026-01-01","exp":1000,"float":1.5,"hex":31,"nothing":null,"octal":10,"quoted":"yes","time":"1:30","true":true,"under":1000})");
}

TEST(Yaml, MergesAndKeepsTheLastDuplicate) {
  const auto value = parse_yaml_one("base: &b {k: 1, l: 2}\nother:\n  <<: *b\n  l: 3\n  m: 4\n  m: 5\n");
  EXPECT_EQ(dump(value["other"]), R"({"k":1,"l":3,"m":5})");
}

TEST(Yaml, ReadsStreamsAndSkipsEmptyDocuments) {
  EXPECT_EQ(parse_yaml("---\n---\na: 1\n---\nb: 2\n").size(), 2u);
  EXPECT_THROW(parse_yaml_one("a: 1\n---\nb: 2\n"), Error);
}

TEST(Yaml, RefusesBombsAndNonsense) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) bomb += std::string("*") + static_cast<char>(c - 1) + ",";
    bomb += "]\n";
  }
  EXPECT_THAT(failure_of([&] { parse_yaml(bomb); }), HasSubstr("too many values"));
  EXPECT_THROW(parse_yaml(std::string(100'000, '[')), Error);
  EXPECT_THAT(failure_of([] { parse_yaml("a: [1\nb: 2"); }), HasSubstr("not YAML (line 2, column"));
  EXPECT_THROW(parse_yaml("a: *nowhere"), Error);
}

TEST(Yaml, RoundTripsWhatItWrites) {
  SeededRng rng(3);
  for (int i = 0; i < 500; ++i) {
    const Json value = {{"v", random_json(rng, 4)}};
    EXPECT_EQ(parse_yaml_one(to_yaml(value)), value) << to_yaml(value);
  }
}

TEST(Yaml, WritesAsKubectlDoes) {
  const auto value =
      parse_json(R"({"metadata":{"name":"x"},"list":[{"a":1,"b":[]},"s"],"empty":{},"text":"a\nb\n","bool":"true"})");
  EXPECT_EQ(to_yaml(value),
            "bool: \"true\"\nempty: {}\nlist:\n- a: 1\n  b: []\n- s\nmetadata:\n  name: x\ntext: |\n  a\n  b\n");
}

TEST(MergePatch, TurnsOneIntoTheOther) {
  SeededRng rng(5);
  for (int i = 0; i < 300; ++i) {
    Json from = {{"a", random_json(rng, 2)}, {"b", {{"c", random_json(rng, 2)}, {"d", 1}}}};
    Json to = {{"b", {{"c", random_json(rng, 2)}}}, {"e", "x"}};
    // RFC 7386 cannot say "set to null": such members are left out of the property.
    if (dump(to).contains("null")) continue;
    EXPECT_EQ(apply_merge_patch(from, merge_patch_between(from, to)), to);
    EXPECT_TRUE(merge_patch_between(to, to).empty());
  }
}

TEST(JsonPatch, AppliesOrLeavesAlone) {
  const auto target = parse_json(R"({"a":[1,2]})");
  EXPECT_EQ(dump(apply_json_patch(target, parse_json(R"([{"op":"add","path":"/a/-","value":3}])"))),
            R"({"a":[1,2,3]})");
  EXPECT_THROW(apply_json_patch(target, parse_json(R"([{"op":"test","path":"/a/0","value":9}])")), Error);
  EXPECT_THROW(apply_json_patch(target, parse_json(R"({"op":"x"})")), Error);
}

TEST(StrategicPatch, MergesListsByTheirKeys) {
  const auto target = parse_json(
      R"({"spec":{"containers":[{"name":"a","image":"1","env":[{"name":"X","value":"1"}]},{"name":"b","image":"1"}]}})");
  const auto merged = apply_strategic_patch(
      target,
      parse_json(
          R"({"spec":{"containers":[{"name":"a","image":"2","env":[{"name":"Y","value":"2"}]},{"name":"b","$patch":"delete"},{"name":"c","image":"3"}]}})"),
      "Pod");
  EXPECT_EQ(
      dump(merged["spec"]["containers"]),
      R"([{"env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}],"image":"2","name":"a"},{"image":"3","name":"c"}])");
}

TEST(StrategicPatch, HonoursItsDirectives) {
  const auto target = parse_json(
      R"({"metadata":{"finalizers":["a","b"]},"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"x":1}},"args":["1"],"containers":[{"name":"a"},{"name":"b"}]}})");
  auto merged = apply_strategic_patch(
      target, parse_json(R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c"]}})"),
      "Deployment");
  EXPECT_EQ(dump(merged["metadata"]["finalizers"]), R"(["b","c"])");
  merged = apply_strategic_patch(
      target, parse_json(R"({"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}})"), "Deployment");
  EXPECT_EQ(dump(merged["spec"]["strategy"]), R"({"type":"Recreate"})");
  merged = apply_strategic_patch(
      target, parse_json(R"({"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}})"), "Deployment");
  EXPECT_EQ(merged["spec"]["containers"][0]["name"], "b");
  merged = apply_strategic_patch(target, parse_json(R"({"spec":{"args":["2"],"strategy":null}})"), "Deployment");
  EXPECT_EQ(dump(merged["spec"]["args"]), R"(["2"])");
  EXPECT_FALSE(merged["spec"].contains("strategy"));
  EXPECT_THROW(apply_strategic_patch(target, parse_json(R"({"spec":{"$patch":"twist"}})"), "Deployment"), Error);
  EXPECT_THROW(apply_strategic_patch(target, parse_json(R"({"spec":{"containers":[{"image":"x"}]}})"), "Deployment"),
               Error);
}

TEST(Selector, ReadsWhatUrlsAndObjectsHold) {
  const auto labels = parse_json(R"({"app":"shop","tier":"web"})");
  for (const auto* yes : {"", "app=shop", "app==shop,tier!=db", "tier in (web, db)", "tier notin (db)", "app", "!gone",
                          "gone notin (x)"}) {
    EXPECT_TRUE(Selector::parse(yes).matches(labels)) << yes;
  }
  for (const auto* no : {"app=other", "!app", "gone", "tier in (db)", "app=shop,tier=db"}) {
    EXPECT_FALSE(Selector::parse(no).matches(labels)) << no;
  }
  for (const auto* bad : {"=x", "a in b", "a in (b", "a,,b", "a b"}) EXPECT_THROW(Selector::parse(bad), Error) << bad;
  EXPECT_EQ(Selector::parse("a in (x,y), !b,c=d").str(), "a in (x,y),!b,c=d");
  EXPECT_TRUE(Selector::parse("a in ()").matches(parse_json(R"({"a":""})")));
  const auto object = parse_json(
      R"({"matchLabels":{"app":"shop"},"matchExpressions":[{"key":"tier","operator":"In","values":["web"]}]})");
  EXPECT_TRUE(Selector::from_json(object).matches(labels));
  EXPECT_TRUE(
      Selector::parse_fields("metadata.name=x").matches(std::map<std::string, std::string>{{"metadata.name", "x"}}));
}

TEST(JsonPath, FindsWhatPrinterColumnsAskFor) {
  const auto value = parse_json(
      R"({"status":{"conditions":[{"type":"Ready","status":"True"},{"type":"Other","status":"False"}]},"m":{"a.b":1},"l":[1,2,3,4]})");
  const auto one = [&](const char* path) {
    const auto found = JsonPath(path).find(value);
    return found.size() == 1 ? dump(*found[0]) : std::to_string(found.size()) + " found";
  };
  EXPECT_EQ(one(".status.conditions[?(@.type=='Ready')].status"), "\"True\"");
  EXPECT_EQ(one("{.m['a.b']}"), "1");
  EXPECT_EQ(one("{.m.a\\.b}"), "1");
  EXPECT_EQ(one(".l[-1]"), "4");
  EXPECT_EQ(one(".l[0]"), "1");
  EXPECT_EQ(one(".l[1:3]"), "2 found");
  EXPECT_EQ(one(".l[*]"), "4 found");
  EXPECT_EQ(one("..status"), "3 found");
  EXPECT_EQ(one(".nothing.here"), "0 found");
  EXPECT_THROW(JsonPath(".l[x]"), Error);
  EXPECT_THROW(JsonPath(".l[0"), Error);
}

TEST(Schema, ReportsAsTheApiServerDoes) {
  const auto schema =
      parse_json(R"({"type":"object","properties":{"spec":{"type":"object","required":["stage"],"properties":{
      "stage":{"type":"boolean"},"count":{"type":"integer","minimum":1},"mode":{"type":"string","enum":["a","b"]},
      "name":{"type":"string","pattern":"^[a-z]+$"},"bundle":{"type":"string","format":"byte"}}}}})");
  const auto text_of = [&](const char* object) {
    std::string out;
    for (const auto& violation : validate_schema(schema, parse_json(object)))
      out += violation.field + ": " + violation.message + "\n";
    return out;
  };
  EXPECT_EQ(text_of(R"({"spec":{"stage":true,"count":1,"mode":"a","name":"x","bundle":"Zm9v"}})"), "");
  EXPECT_EQ(text_of(R"({"spec":{}})"), "spec.stage: Required value\n");
  EXPECT_EQ(text_of(R"({"spec":{"stage":"yes"}})"),
            "spec.stage: Invalid value: \"string\": spec.stage in body must be of type boolean: \"string\"\n");
  EXPECT_EQ(text_of(R"({"spec":{"stage":true,"count":0}})"),
            "spec.count: Invalid value: 0: spec.count in body should be greater than or equal to 1\n");
  EXPECT_EQ(text_of(R"({"spec":{"stage":true,"mode":"c"}})"),
            "spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\"\n");
  EXPECT_THAT(text_of(R"({"spec":{"stage":true,"name":"X","bundle":"!"}})"), HasSubstr("should match '^[a-z]+$'"));
}

TEST(Schema, DefaultsAndPrunes) {
  const auto schema = parse_json(R"({"type":"object","properties":{"spec":{"type":"object","properties":{
      "n":{"type":"integer","default":3},"free":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
      "map":{"type":"object","additionalProperties":{"type":"object","properties":{"d":{"type":"string","default":"x"}}}}}}}})");
  auto value = parse_json(
      R"({"apiVersion":"v1","kind":"K","metadata":{"name":"a"},"spec":{"n":null,"what":1,"free":{"any":1},"map":{"k":{"u":1}}},"extra":2})");
  EXPECT_THAT(prune(schema, value), ElementsAre("extra", "spec.map.k.u", "spec.what"));
  apply_defaults(schema, value);
  EXPECT_EQ(dump(value["spec"]), R"({"free":{"any":1},"map":{"k":{"d":"x"}},"n":3})");
  EXPECT_EQ(dump(value["metadata"]), R"({"name":"a"})");
}

}  // namespace
}  // namespace mtc
