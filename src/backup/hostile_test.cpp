#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "backup/archive.hpp"
#include "backup/item_rules.hpp"
#include "base/error.hpp"
#include "json/json.hpp"

// What an archive of a stranger could hold, found by the fuzzers.

namespace mtc::backup {
namespace {

using testing::HasSubstr;

std::string refusal_of_archive(const Json& object, ArchiveLimits limits) {
  std::string text;
  auto body = [](const Json* o, ArchiveLimits l, std::string* out) -> Task<void> {
    const auto store = blob::make_memory_store();
    ArchiveWriter writer(co_await store->create("a.tar.gz"));
    co_await writer.add(kube::types::config_maps(), o);
    co_await writer.commit();
    try {
      co_await Archive::fetch(store.get(), "a.tar.gz", l);
    } catch (const Error& error) {
      *out = error.what();
    }
  };
  async::Runtime().run(body(&object, limits, &text));
  return text;
}

TEST(HostileArchive, IsBoundedInWhatIsPassedOverToo) {
  Json object = {{"metadata", {{"namespace", "shop"}, {"name", "m"}}}, {"data", {{"k", std::string(1'000'000, 'x')}}}};
  EXPECT_EQ(refusal_of_archive(object, {}), "");
  // The copy under the versioned path is passed over; with the first it is more than the total.
  EXPECT_THAT(refusal_of_archive(object, {.total_bytes = 1'500'000}), HasSubstr("more than its limit"));
  object["metadata"]["name"] = std::string(5000, 'n');
  EXPECT_THAT(refusal_of_archive(object, {}), HasSubstr("more than its limit"));
}

TEST(HostileRules, LeaveAloneWhatTheyDoNotUnderstand) {
  RestoreContext context;
  context.namespace_mapping["shop"] = "boutique";
  context.labels["l"] = "v";
  for (const auto* kind : {"services", "pods", "jobs.batch", "secrets", "serviceaccounts", "namespaces",
                           "rolebindings.rbac.authorization.k8s.io"}) {
    for (
        const auto* text :
        {"{}", R"({"metadata":"x","spec":[],"data":3,"secrets":"s","subjects":[null]})",
         R"({"metadata":{"labels":7},"type":"kubernetes.io/service-account-token","data":"x"})",
         R"({"spec":{"ports":[1,{"nodePort":2}],"volumes":[{"name":"kube-api-access-x"}],"containers":[1,{"volumeMounts":{}}]}})"}) {
      auto object = parse_json(text);
      adapt({kind, "shop", "web"}, object, context);
      EXPECT_EQ(dump(object["metadata"]["labels"]), R"({"l":"v"})") << kind << text;
      EXPECT_EQ(string_at(object, "metadata.namespace"), "boutique") << kind << text;
    }
  }
}

}  // namespace
}  // namespace mtc::backup
