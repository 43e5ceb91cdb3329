#include <algorithm>

#include "sandbox/testing/helpers.hpp"

// Server-side apply: who owns which field, and what becomes of it.
namespace mtc::sandbox::testing {
namespace {

enum class Force { kNo, kYes };

/// Applies config map "a" with these fields beside its name (flow YAML) as a manager.
Task<Json> apply(Server s, std::string manager, std::string fields, Force force = Force::kNo) {
  auto object = parse_yaml_one("{apiVersion: v1, kind: ConfigMap}");
  object.update(parse_yaml_one(fields));
  object["metadata"]["name"] = "a";
  co_return co_await s.client->patch(types::config_maps(), {s.ns, "a"}, PatchKind::kApply, object,
                                     {.field_manager = manager, .force = force == Force::kYes});
}

/// What a manager owns by an operation; null if nothing.
Json fields_of(const Json& object, const std::string& manager, const std::string& operation) {
  for (const auto& entry : array_at(object, "metadata.managedFields")) {
    if (string_at(entry, "manager") == manager && string_at(entry, "operation") == operation) return entry["fieldsV1"];
  }
  return nullptr;
}

Task<void> creates(Server s) {
  const auto made = co_await apply(s, "alice", "{data: {k: v}}");
  EXPECT_EQ(string_at(made, "data.k"), "v");
  EXPECT_EQ(kube::uid_of(co_await read_map(s, "a")), kube::uid_of(made));
}

Task<void> records_fields(Server s) {
  const auto made = co_await apply(s, "alice", "{data: {k: v}, metadata: {labels: {l: x}}}");
  EXPECT_EQ(dump(fields_of(made, "alice", "Apply")), R"({"f:data":{"f:k":{}},"f:metadata":{"f:labels":{"f:l":{}}}})");
  const auto& entry = array_at(made, "metadata.managedFields")[0];
  EXPECT_EQ(string_at(entry, "apiVersion"), "v1");
  EXPECT_EQ(string_at(entry, "fieldsType"), "FieldsV1");
  EXPECT_TRUE(parse_rfc3339(string_at(entry, "time")));
}

Task<void> twice_is_once(Server s) {
  const auto first = co_await apply(s, "alice", "{data: {k: v}}");
  const auto second = co_await apply(s, "alice", "{data: {k: v}}");
  EXPECT_EQ(kube::resource_version_of(first), kube::resource_version_of(second));
}

Task<void> removes_what_is_not_applied(Server s) {
  co_await apply(s, "alice", "{data: {one: '1', two: '2'}}");
  EXPECT_EQ(dump((co_await apply(s, "alice", "{data: {one: '1'}}"))["data"]), R"({"one":"1"})");
}

Task<void> removes_whole_maps(Server s) {
  co_await apply(s, "alice", "{data: {one: '1'}, metadata: {labels: {l: x}}}");
  const auto after = co_await apply(s, "alice", "{data: {one: '1'}}");
  EXPECT_EQ(find(after, "metadata.labels"), nullptr);
}

Task<void> keeps_what_others_own(Server s) {
  co_await apply(s, "alice", "{data: {one: '1'}}");
  co_await apply(s, "bob", "{data: {two: '2'}}");
  EXPECT_EQ(dump((co_await apply(s, "alice", "{data: {three: '3'}}"))["data"]), R"({"three":"3","two":"2"})");
}

Task<void> conflicts(Server s) {
  co_await apply(s, "alice", "{data: {k: '1'}}");
  const auto failure = co_await failure_of(apply(s, "bob", "{data: {k: '2'}}"));
  if (!failure) throw Error(Code::kInternal, "no conflict");
  EXPECT_EQ(failure->code(), Code::kConflict);
  EXPECT_EQ(failure->message(), "Apply failed with 1 conflict: conflict with \"alice\": .data.k");
  EXPECT_EQ(string_at(co_await read_map(s, "a"), "data.k"), "1");
}

Task<void> conflicts_list_fields(Server s) {
  co_await apply(s, "alice", "{data: {k: '1', l: '1'}}");
  const auto failure = co_await failure_of(apply(s, "bob", "{data: {k: '2', l: '2'}}"));
  if (!failure) throw Error(Code::kInternal, "no conflict");
  EXPECT_EQ(failure->message(), "Apply failed with 2 conflicts: conflicts with \"alice\":\n- .data.k\n- .data.l");
}

Task<void> conflicts_have_causes(Server s) {
  co_await apply(s, "alice", "{data: {k: '1'}}");
  const auto answer = co_await send(s, "PATCH", path_of(s, types::config_maps()) + "/a?fieldManager=bob",
                                    {{"Content-Type", "application/apply-patch+yaml"}},
                                    "{apiVersion: v1, kind: ConfigMap, data: {k: '2'}}");
  EXPECT_EQ(answer.status, 409);
  const auto status = parse_json(answer.body);
  const auto& cause = array_at(status, "details.causes")[0];
  EXPECT_EQ(string_at(cause, "reason"), "FieldManagerConflict");
  EXPECT_EQ(string_at(cause, "field"), ".data.k");
  EXPECT_EQ(string_at(cause, "message"), "conflict with \"alice\"");
}

Task<void> force_takes_over(Server s) {
  co_await apply(s, "alice", "{data: {k: '1', mine: x}}");
  const auto after = co_await apply(s, "bob", "{data: {k: '2'}}", Force::kYes);
  EXPECT_EQ(string_at(after, "data.k"), "2");
  EXPECT_EQ(dump(fields_of(after, "alice", "Apply")), R"({"f:data":{"f:mine":{}}})");
  EXPECT_EQ(dump(fields_of(after, "bob", "Apply")), R"({"f:data":{"f:k":{}}})");
}

Task<void> equal_values_are_shared(Server s) {
  co_await apply(s, "alice", "{data: {k: '1'}}");
  const auto after = co_await apply(s, "bob", "{data: {k: '1'}}");
  EXPECT_EQ(dump(fields_of(after, "alice", "Apply")), dump(fields_of(after, "bob", "Apply")));
}

Task<void> shared_fields_stay(Server s) {
  co_await apply(s, "alice", "{data: {k: '1'}}");
  co_await apply(s, "bob", "{data: {k: '1', l: '2'}}");
  const auto after = co_await apply(s, "bob", "{data: {l: '2'}}");
  EXPECT_EQ(dump(after["data"]), R"({"k":"1","l":"2"})");
  EXPECT_EQ(dump((co_await apply(s, "alice", "{}"))["data"]), R"({"l":"2"})");
}

Task<void> creators_own_by_update(Server s) {
  const auto made = co_await make_map(s, "a", {{"k", "v"}});
  EXPECT_EQ(dump(fields_of(made, "mtc", "Update")), R"({"f:data":{".":{},"f:k":{}}})");
}

Task<void> patches_own_by_update(Server s) {
  co_await apply(s, "alice", "{data: {k: '1'}}");
  const auto after = co_await patch_map(s, "a", PatchKind::kMerge, "{data: {l: '2'}}", {.field_manager = "carol"});
  EXPECT_EQ(dump(fields_of(after, "carol", "Update")), R"({"f:data":{"f:l":{}}})");
}

Task<void> updates_take_over(Server s) {
  co_await apply(s, "alice", "{data: {k: '1', l: '1'}}");
  const auto after = co_await patch_map(s, "a", PatchKind::kMerge, "{data: {k: '2'}}", {.field_manager = "carol"});
  EXPECT_EQ(dump(fields_of(after, "alice", "Apply")), R"({"f:data":{"f:l":{}}})");
  const auto failure = co_await failure_of(apply(s, "alice", "{data: {k: '1', l: '1'}}"));
  if (!failure) throw Error(Code::kInternal, "no conflict");
  EXPECT_TRUE(failure->message().starts_with("Apply failed with 1 conflict: conflict with \"carol\" using v1"))
      << failure->message();
  EXPECT_TRUE(failure->message().ends_with(": .data.k")) << failure->message();
}

Task<void> removed_by_others(Server s) {
  co_await apply(s, "alice", "{data: {k: '1', l: '1'}}");
  const auto after = co_await patch_map(s, "a", PatchKind::kMerge, "{data: {k: null}}", {.field_manager = "carol"});
  EXPECT_EQ(dump(fields_of(after, "alice", "Apply")), R"({"f:data":{"f:l":{}}})");
  EXPECT_EQ(fields_of(after, "carol", "Update"), nullptr);
}

Task<void> operations_are_apart(Server s) {
  co_await make_map(s, "a", {{"k", "1"}});  // as manager "mtc"
  EXPECT_EQ(co_await code_of(apply(s, "mtc", "{data: {k: '2'}}")), Code::kConflict);
}

Task<void> needs_a_manager(Server s) { EXPECT_EQ(co_await code_of(apply(s, "", "{data: {k: '1'}}")), Code::kInvalid); }

Task<void> needs_a_kind(Server s) {
  EXPECT_EQ(co_await code_of(s.client->patch(types::config_maps(), {s.ns, "a"}, PatchKind::kApply,
                                             parse_yaml_one("{data: {k: v}}"), {.field_manager = "alice"})),
            Code::kInvalid);
}

Task<void> refuses_managed_fields(Server s) {
  EXPECT_EQ(co_await code_of(apply(s, "alice",
                                   "{data: {k: v}, metadata: {managedFields: [{manager: x, operation: Apply, "
                                   "apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {}}]}}")),
            Code::kInvalid);
}

Task<void> checks_versions(Server s) {
  const auto stale = kube::resource_version_of(co_await apply(s, "alice", "{data: {k: '1'}}"));
  const auto latest = kube::resource_version_of(co_await apply(s, "alice", "{data: {k: '2'}}"));
  const auto with_version = [](const std::string& version) {
    return "{data: {k: '3'}, metadata: {resourceVersion: '" + version + "'}}";
  };
  EXPECT_EQ(co_await code_of(apply(s, "alice", with_version(stale))), Code::kConflict);
  EXPECT_EQ(string_at(co_await apply(s, "alice", with_version(latest)), "data.k"), "3");
}

Task<void> ownership_is_given_up(Server s) {
  co_await apply(s, "alice", "{data: {k: '1'}}");
  const auto after = co_await patch_map(s, "a", PatchKind::kMerge, "{metadata: {managedFields: [{}]}}");
  EXPECT_EQ(find(after, "metadata.managedFields"), nullptr);
  EXPECT_EQ(string_at(after, "data.k"), "1");
}

Task<void> first_apply_of_what_nobody_owns(Server s) {
  co_await apply(s, "alice", "{data: {k: '1'}}");
  co_await patch_map(s, "a", PatchKind::kMerge, "{metadata: {managedFields: [{}]}}");
  const auto failure = co_await failure_of(apply(s, "bob", "{data: {k: '2'}}"));
  if (!failure) throw Error(Code::kInternal, "no conflict");
  EXPECT_TRUE(failure->message().contains("before-first-apply")) << failure->message();
}

Task<void> another_name_is_refused(Server s) {
  const auto object = parse_yaml_one("{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}");
  EXPECT_EQ(co_await code_of(s.client->patch(types::config_maps(), {s.ns, "a"}, PatchKind::kApply, object,
                                             {.field_manager = "alice"})),
            Code::kInvalid);
}

}  // namespace

Cases apply_cases() {
  return {{"CreatesByApply", creates},
          {"RecordsAppliedFields", records_fields},
          {"WritesNothingWhenAppliedAgain", twice_is_once},
          {"RemovesWhatIsAppliedNoMore", removes_what_is_not_applied},
          {"RemovesMapsThatAreAppliedNoMore", removes_whole_maps},
          {"KeepsWhatOthersApply", keeps_what_others_own},
          {"RefusesToApplyOverOthers", conflicts},
          {"ListsAllConflicts", conflicts_list_fields},
          {"GivesCausesOfConflicts", conflicts_have_causes},
          {"TakesOverByForce", force_takes_over},
          {"SharesEqualValues", equal_values_are_shared},
          {"KeepsSharedFields", shared_fields_stay},
          {"GivesCreatorsTheirFields", creators_own_by_update},
          {"GivesPatchersTheirFields", patches_own_by_update},
          {"LetsUpdatesTakeOver", updates_take_over},
          {"ForgetsOwnersOfRemovedFields", removed_by_others},
          {"TellsAppliesFromUpdates", operations_are_apart},
          {"NeedsAManagerToApply", needs_a_manager},
          {"NeedsAKindToApply", needs_a_kind},
          {"RefusesAppliedOwnership", refuses_managed_fields},
          {"ChecksVersionsOfApplies", checks_versions},
          {"LetsOwnershipBeReset", ownership_is_given_up},
          {"KnowsOwnersBeforeTheFirstApply", first_apply_of_what_nobody_owns},
          {"RefusesToApplyAnotherName", another_name_is_refused}};
}

}  // namespace mtc::sandbox::testing
