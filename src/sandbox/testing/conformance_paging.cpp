#include "base/encoding.hpp"
#include "sandbox/testing/helpers.hpp"

// Lists in pages: each page shows the list as it was at the first.
namespace mtc::sandbox::testing {
namespace {

using Names = std::vector<std::string>;

/// Secrets s0 … s6.
Task<void> seven(Server s) {
  for (int i = 0; i < 7; ++i)
    co_await s.client->create(types::secrets(), labelled(named(s, "s" + std::to_string(i), "{}"), "case", s.ns));
}

Task<kube::ListPage> page(Server s, std::string token = "", std::string selector = "") {
  co_return co_await s.client->list(types::secrets(), s.ns,
                                    {.label_selector = selector, .limit = 3, .continue_token = token});
}

Task<Json> raw_list(Server s, std::string query) {
  co_return co_await s.client->raw("GET", path_of(s, types::secrets()) + "?" + query);
}

Task<void> pages(Server s) {
  co_await seven(s);
  Names names;
  std::string token;
  std::size_t count = 0;
  do {
    const auto part = co_await page(s, token);
    for (const auto& name : names_of(part.items)) names.push_back(name);
    token = part.continue_token;
    ++count;
  } while (!token.empty());
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(names, (Names{"s0", "s1", "s2", "s3", "s4", "s5", "s6"}));
}

Task<void> pages_with_a_selector(Server s) {
  co_await seven(s);
  co_await s.client->create(types::secrets(), named(s, "s00", "{}"));
  const auto first = co_await page(s, "", "case=" + s.ns);
  EXPECT_EQ(names_of(first.items), (Names{"s0", "s1", "s2"}));
  EXPECT_EQ(names_of((co_await page(s, first.continue_token, "case=" + s.ns)).items), (Names{"s3", "s4", "s5"}));
}

Task<void> pages_of_all_namespaces(Server s) {
  co_await seven(s);
  kube::ListOptions options{.label_selector = "case=" + s.ns, .limit = 2};
  Names names;
  do {
    const auto part = co_await s.client->list(types::secrets(), "", options);
    for (const auto& name : names_of(part.items)) names.push_back(name);
    options.continue_token = part.continue_token;
  } while (!options.continue_token.empty());
  EXPECT_EQ(names.size(), 7u);
}

Task<void> remaining(Server s) {
  co_await seven(s);
  const auto first = co_await raw_list(s, "limit=3");
  EXPECT_EQ(int_at(first, "metadata.remainingItemCount"), 4);
  const auto token = percent_encode(string_at(first, "metadata.continue"));
  EXPECT_EQ(int_at(co_await raw_list(s, "limit=3&continue=" + token), "metadata.remainingItemCount"), 1);
}

Task<void> remaining_of_a_selection(Server s) {
  co_await seven(s);
  const auto first = co_await raw_list(s, "limit=3&labelSelector=case%3D" + s.ns);
  EXPECT_EQ(find(first, "metadata.remainingItemCount"), nullptr);
  EXPECT_NE(string_at(first, "metadata.continue"), "");
}

Task<void> last_pages_have_no_token(Server s) {
  co_await seven(s);
  const auto all = co_await raw_list(s, "limit=7");
  EXPECT_EQ(find(all, "metadata.continue"), nullptr);
  EXPECT_EQ(find(all, "metadata.remainingItemCount"), nullptr);
}

Task<void> one_version(Server s) {
  co_await seven(s);
  const auto first = co_await page(s);
  co_await make_map(s, "meanwhile");
  EXPECT_EQ((co_await page(s, first.continue_token)).resource_version, first.resource_version);
}

Task<void> consistent(Server s) {
  co_await seven(s);
  const auto first = co_await page(s);
  co_await s.client->remove(types::secrets(), {s.ns, "s3"});
  co_await s.client->create(types::secrets(), named(s, "s33", "{}"));
  co_await s.client->patch(types::secrets(), {s.ns, "s4"}, PatchKind::kMerge,
                           parse_yaml_one("{metadata: {labels: {new: label}}}"));
  const auto second = co_await page(s, first.continue_token);
  EXPECT_EQ(names_of(second.items), (Names{"s3", "s4", "s5"}));
  EXPECT_EQ(kube::label(second.items.at(1), "new"), "");
}

Task<void> bad_tokens(Server s) {
  EXPECT_EQ(co_await code_of(page(s, "nonsense")), Code::kInvalid);
  EXPECT_EQ(co_await code_of(page(s, base64url_encode("{}"))), Code::kInvalid);
}

Task<void> tokens_exclude_versions(Server s) {
  co_await seven(s);
  const auto first = co_await page(s);
  const auto query = "limit=3&continue=" + percent_encode(first.continue_token) + "&resourceVersion=";
  EXPECT_EQ(co_await code_of(raw_list(s, query + first.resource_version)), Code::kInvalid);
}

/// The first page's token as it would be had that page been read when the cluster was new.
Task<std::string> ancient_token(Server s) {
  co_await seven(s);
  auto token = parse_json(base64url_decode((co_await page(s)).continue_token).value_or(""));
  token["rv"] = 1;
  co_return base64url_encode(dump(token));
}

/// The answer to a token that has expired. A real server forgets every few minutes, and nothing tells when.
Task<Json> expired_answer(Server s, std::string token) {
  for (int i = 0; i < 700; ++i) {
    const auto answer = co_await send(s, "GET", path_of(s, types::secrets()) + "?limit=3&continue=" + token);
    if (answer.status == 410) co_return parse_json(answer.body);
    co_await async::sleep_for(std::chrono::seconds(1));
  }
  throw Error(Code::kTimeout, "the token did not expire");
}

Task<void> expired_tokens(Server s) {
  const auto token = co_await ancient_token(s);
  EXPECT_EQ(string_at(co_await expired_answer(s, token), "reason"), "Expired");
  EXPECT_EQ(co_await code_of(page(s, token)), Code::kExpired);
}

Task<void> expired_tokens_go_on(Server s) {
  const auto answer = co_await expired_answer(s, co_await ancient_token(s));
  const auto token = string_at(answer, "metadata.continue");
  EXPECT_NE(token, "");
  EXPECT_EQ(names_of((co_await page(s, token)).items), (Names{"s3", "s4", "s5"}));
}

Task<void> exact_versions(Server s) {
  co_await seven(s);
  const auto then = (co_await page(s)).resource_version;
  co_await s.client->remove(types::secrets(), {s.ns, "s0"});
  const auto list = co_await raw_list(s, "limit=2&resourceVersionMatch=Exact&resourceVersion=" + then);
  EXPECT_EQ(names_of(array_at(list, "items")), (Names{"s0", "s1"}));
  EXPECT_EQ(string_at(list, "metadata.resourceVersion"), then);
}

Task<void> at_least_a_version(Server s) {
  co_await seven(s);
  const auto made = co_await s.client->create(types::secrets(), named(s, "s7", "{}"));
  const auto list =
      co_await raw_list(s, "resourceVersionMatch=NotOlderThan&resourceVersion=" + kube::resource_version_of(made));
  EXPECT_EQ(array_at(list, "items").size(), 8u);
}

Task<void> malformed_versions(Server s) {
  EXPECT_EQ(co_await code_of(raw_list(s, "resourceVersion=soon")), Code::kInvalid);
}

Task<void> versions_grow(Server s) {
  const auto before = (co_await page(s)).resource_version;
  const auto made = co_await s.client->create(types::secrets(), named(s, "s", "{}"));
  const auto after = (co_await page(s)).resource_version;
  EXPECT_LT(std::stoull(before), std::stoull(kube::resource_version_of(made)));
  EXPECT_LE(std::stoull(kube::resource_version_of(made)), std::stoull(after));
}

}  // namespace

Cases paging_cases() {
  return {{"PagesLists", pages},
          {"PagesSelections", pages_with_a_selector},
          {"PagesAllNamespaces", pages_of_all_namespaces},
          {"CountsWhatRemains", remaining},
          {"CountsNothingOfASelection", remaining_of_a_selection},
          {"EndsWithoutAToken", last_pages_have_no_token},
          {"GivesAllPagesOneVersion", one_version},
          {"ShowsTheListOfTheFirstPage", consistent},
          {"RefusesBadTokens", bad_tokens},
          {"RefusesTokensWithVersions", tokens_exclude_versions},
          {"ExpiresTokens", expired_tokens},
          {"LetsExpiredListsGoOn", expired_tokens_go_on},
          {"ListsAtExactVersions", exact_versions},
          {"ListsNotOlderThanAVersion", at_least_a_version},
          {"RefusesMalformedVersions", malformed_versions},
          {"NumbersListsUpwards", versions_grow}};
}

}  // namespace mtc::sandbox::testing
