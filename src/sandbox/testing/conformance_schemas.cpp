#include "sandbox/testing/helpers.hpp"

// Structural schemas of custom resources: validation, defaulting, pruning.
namespace mtc::sandbox::testing {
namespace {

struct Expected {
  std::vector<const char*> good, bad;  ///< specs in flow YAML
};

/// Defines widgets by a schema and creates each spec.
Task<void> check(Server s, std::string schema, Expected expected) {
  const auto type = co_await define(s, schema);
  for (const auto* spec : expected.bad)
    EXPECT_EQ(co_await code_of(make_widget(s, "bad", spec)), Code::kInvalid) << spec;
  for (const auto* spec : expected.good) {
    EXPECT_EQ(co_await code_of(make_widget(s, "good", spec)), std::nullopt) << spec;
    co_await s.client->remove(type, {s.ns, "good"});
  }
}

Task<void> types_of_values(Server s) {
  return check(s,
               "{type: object, properties: {s: {type: string}, i: {type: integer}, num: {type: number}, b: {type: "
               "boolean}, l: {type: array, items: {type: string}}, o: {type: object}}}",
               {.good = {"{s: a, i: 1, num: 1.5, b: true, l: [a], o: {}}", "{num: 1}", "{l: []}"},
                .bad = {"{s: 1}", "{i: a}", "{i: 1.5}", "{num: a}", "{b: 1}", "{l: a}", "{l: [1]}", "{o: a}"}});
}

Task<void> enums(Server s) {
  return check(s,
               "{type: object, properties: {c: {type: string, enum: [red, blue]}, num: {type: integer, enum: [1, 2]}}}",
               {.good = {"{c: red, num: 2}"}, .bad = {"{c: green}", "{c: ''}", "{num: 3}"}});
}

Task<void> patterns(Server s) {
  return check(s,
               "{type: object, properties: {p: {type: string, pattern: '^[a-z]+$'}, any: {type: string, pattern: b}}}",
               {.good = {"{p: abc}", "{any: abc}"}, .bad = {"{p: ABC}", "{p: ''}", "{any: xyz}"}});
}

Task<void> lengths(Server s) {
  return check(s, "{type: object, properties: {t: {type: string, minLength: 2, maxLength: 4}}}",
               {.good = {"{t: ab}", "{t: abcd}", "{t: äöüß}"}, .bad = {"{t: a}", "{t: abcde}"}});
}

Task<void> ranges(Server s) {
  return check(
      s,
      "{type: object, properties: {num: {type: integer, minimum: 1, maximum: 10}, x: {type: number, minimum: 0, "
      "exclusiveMinimum: true}, m: {type: integer, multipleOf: 5}}}",
      {.good = {"{num: 1}", "{num: 10}", "{x: 0.1}", "{m: 15}"}, .bad = {"{num: 0}", "{num: 11}", "{x: 0}", "{m: 7}"}});
}

Task<void> required(Server s) {
  return check(s,
               "{type: object, required: [a], properties: {a: {type: string}, o: {type: object, required: [b], "
               "properties: {b: {type: string}}}}}",
               {.good = {"{a: x}", "{a: x, o: {b: z}}"}, .bad = {"{}", "{o: {b: z}}", "{a: x, o: {}}", "{a: null}"}});
}

Task<void> int_or_string(Server s) {
  return check(s, "{type: object, properties: {p: {x-kubernetes-int-or-string: true}}}",
               {.good = {"{p: 80}", "{p: http}", "{p: 50%}"}, .bad = {"{p: true}", "{p: 1.5}", "{p: []}"}});
}

Task<void> nullable(Server s) {
  co_await define(s, "{type: object, properties: {a: {type: string, nullable: true}}}");
  const auto made = co_await make_widget(s, "w", "{a: null}");
  EXPECT_TRUE(made["spec"].contains("a"));
  EXPECT_TRUE(made["spec"]["a"].is_null());
}

Task<void> additional_properties(Server s) {
  return check(s, "{type: object, properties: {m: {type: object, additionalProperties: {type: integer}}}}",
               {.good = {"{m: {a: 1, b: 2}}", "{m: {}}"}, .bad = {"{m: {a: x}}", "{m: {a: 1, b: x}}"}});
}

Task<void> list_maps(Server s) {
  return check(
      s,
      "{type: object, properties: {l: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: "
      "[a, b], items: {type: object, required: [a, b], properties: {a: {type: string}, b: {type: integer}}}}}}",
      {.good = {"{l: [{a: x, b: 1}, {a: x, b: 2}]}"}, .bad = {"{l: [{a: x, b: 1}, {a: x, b: 1}]}", "{l: [{a: x}]}"}});
}

Task<void> list_sets(Server s) {
  return check(s, "{type: object, properties: {l: {type: array, x-kubernetes-list-type: set, items: {type: string}}}}",
               {.good = {"{l: [a, b]}", "{l: []}"}, .bad = {"{l: [a, b, a]}"}});
}

Task<void> sizes(Server s) {
  return check(s,
               "{type: object, properties: {l: {type: array, minItems: 1, maxItems: 2, items: {type: string}}, m: "
               "{type: object, minProperties: 1, maxProperties: 2, additionalProperties: {type: string}}}}",
               {.good = {"{l: [a]}", "{m: {a: x, b: z}}"},
                .bad = {"{l: []}", "{l: [a, b, c]}", "{m: {}}", "{m: {a: x, b: z, c: w}}"}});
}

Task<void> formats(Server s) {
  return check(s, "{type: object, properties: {t: {type: string, format: date-time}, b: {type: string, format: byte}}}",
               {.good = {"{t: '2021-02-02T15:04:09Z', b: dg==}"}, .bad = {"{t: yesterday}"}});
}

Task<void> combinations(Server s) {
  return check(s,
               "{type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: "
               "[b]}]}",
               {.good = {"{a: x}", "{b: x}"}, .bad = {"{}", "{a: x, b: x}"}});
}

Task<void> causes(Server s) {
  co_await define(s,
                  "{type: object, required: [a], properties: {a: {type: string}, num: {type: integer, minimum: 1}}}");
  const auto answer = co_await send(s, "POST", path_of(s, widget_type(s.ns)), {}, dump(widget(s, "w", "{num: 0}")));
  EXPECT_EQ(answer.status, 422);
  const auto status = parse_json(answer.body);
  EXPECT_EQ(string_at(status, "reason"), "Invalid");
  EXPECT_EQ(string_at(status, "details.kind"), "Widget");
  std::vector<std::string> found;
  for (const auto& cause : array_at(status, "details.causes"))
    found.push_back(string_at(cause, "field") + " " + string_at(cause, "reason"));
  std::ranges::sort(found);
  EXPECT_EQ(found, (std::vector<std::string>{"spec.a FieldValueRequired", "spec.num FieldValueInvalid"}));
}

Task<void> updates_are_checked(Server s) {
  const auto type = co_await define(s, "{type: object, properties: {num: {type: integer, maximum: 3}}}");
  auto made = co_await make_widget(s, "w", "{num: 3}");
  made["spec"]["num"] = 4;
  EXPECT_EQ(co_await code_of(s.client->update(type, made)), Code::kInvalid);
}

Task<void> defaults(Server s) {
  co_await define(
      s,
      "{type: object, default: {}, properties: {a: {type: string, default: x}, o: {type: object, properties: "
      "{b: {type: integer, default: 1}}}, l: {type: array, items: {type: object, properties: {c: {type: "
      "boolean, default: true}}}}}}");
  const auto made = co_await make_widget(s, "w", "{o: {}, l: [{}, {c: false}]}");
  EXPECT_EQ(dump(made["spec"]), R"({"a":"x","l":[{"c":true},{"c":false}],"o":{"b":1}})");
  auto bare = widget(s, "bare", "{}");
  bare.erase("spec");
  EXPECT_EQ(dump((co_await s.client->create(widget_type(s.ns), bare))["spec"]), R"({"a":"x"})");
}

Task<void> defaults_for_nulls(Server s) {
  co_await define(s, "{type: object, properties: {a: {type: string, default: x}}}");
  EXPECT_EQ(string_at(co_await make_widget(s, "w", "{a: null}"), "spec.a"), "x");
}

Task<void> defaults_after_removal(Server s) {
  const auto type = co_await define(s, "{type: object, properties: {a: {type: string, default: x}}}");
  co_await make_widget(s, "w", "{a: z}");
  const auto after =
      co_await s.client->patch(type, {s.ns, "w"}, PatchKind::kJson, parse_yaml_one("[{op: remove, path: /spec/a}]"));
  EXPECT_EQ(string_at(after, "spec.a"), "x");
}

Task<void> pruning(Server s) {
  co_await define(s, "{type: object, properties: {o: {type: object, properties: {a: {type: string}}}}}");
  auto object = widget(s, "w", "{unknown: 1, o: {a: x, b: z}}");
  object["more"] = {{"x", 1}};
  const auto made = co_await s.client->create(widget_type(s.ns), object);
  EXPECT_EQ(dump(made["spec"]), R"({"o":{"a":"x"}})");
  EXPECT_FALSE(made.contains("more"));
}

Task<void> preserving(Server s) {
  co_await define(s,
                  "{type: object, properties: {free: {type: object, x-kubernetes-preserve-unknown-fields: true, "
                  "properties: {known: {type: object, properties: {a: {type: string}}}}}}}");
  const auto made = co_await make_widget(s, "w", "{free: {any: {thing: 1}, known: {a: x, b: z}}}");
  EXPECT_EQ(dump(made["spec"]["free"]), R"({"any":{"thing":1},"known":{"a":"x"}})");
}

Task<void> embedded(Server s) {
  co_await define(s,
                  "{type: object, properties: {t: {type: object, x-kubernetes-embedded-resource: true, "
                  "x-kubernetes-preserve-unknown-fields: true}}}");
  const auto made = co_await make_widget(s, "w", "{t: {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {x: 1}}}");
  EXPECT_EQ(string_at(made, "spec.t.metadata.name"), "p");
  EXPECT_EQ(co_await code_of(make_widget(s, "v", "{t: {spec: {x: 1}}}")), Code::kInvalid);
}

Task<void> strict(Server s) {
  co_await define(s, "{type: object, properties: {a: {type: string}}}");
  const auto target = path_of(s, widget_type(s.ns)) + "?fieldValidation=Strict";
  const auto refused = co_await send(s, "POST", target, {}, dump(widget(s, "w", "{a: x, b: z}")));
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(string_at(parse_json(refused.body), "message").contains("unknown field \"spec.b\"")) << refused.body;
  EXPECT_EQ((co_await send(s, "POST", target, {}, dump(widget(s, "w", "{a: x}")))).status, 201);
}

Task<void> warnings(Server s) {
  co_await define(s, "{type: object, properties: {a: {type: string}}}");
  const auto target = path_of(s, widget_type(s.ns)) + "?fieldValidation=Warn";
  const auto answer = co_await send(s, "POST", target, {}, dump(widget(s, "w", "{a: x, b: z}")));
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.headers.get("Warning"), R"(299 - "unknown field \"spec.b\"")");
}

}  // namespace

Cases schema_cases() {
  return {{"ValidatesTypes", types_of_values},
          {"ValidatesEnums", enums},
          {"ValidatesPatterns", patterns},
          {"ValidatesLengths", lengths},
          {"ValidatesRanges", ranges},
          {"ValidatesRequiredFields", required},
          {"ValidatesIntOrString", int_or_string},
          {"KeepsNullsWhereTheyAreAllowed", nullable},
          {"ValidatesAdditionalProperties", additional_properties},
          {"ValidatesKeysOfLists", list_maps},
          {"ValidatesSets", list_sets},
          {"ValidatesSizes", sizes},
          {"ValidatesFormats", formats},
          {"ValidatesCombinations", combinations},
          {"NamesInvalidFields", causes},
          {"ValidatesUpdates", updates_are_checked},
          {"FillsInDefaults", defaults},
          {"FillsInDefaultsForNulls", defaults_for_nulls},
          {"FillsInDefaultsAfterRemoval", defaults_after_removal},
          {"PrunesUnknownFields", pruning},
          {"PreservesUnknownFieldsWhereAsked", preserving},
          {"ChecksEmbeddedResources", embedded},
          {"RefusesUnknownFieldsStrictly", strict},
          {"WarnsOfUnknownFields", warnings}};
}

}  // namespace mtc::sandbox::testing
