#include "sandbox/testing/helpers.hpp"

// ResourceQuotas that bound numbers of objects and what claims ask for.
namespace mtc::sandbox::testing {
namespace {

const auto& kClaims = types::persistent_volume_claims();
const kube::ResourceType kQuotas = {"", "v1", "resourcequotas", "ResourceQuota"};

/// Makes a quota, and waits until the server knows how much of it is used.
Task<void> bounded(Server s, std::string hard) {
  co_await s.client->create(kQuotas, named(s, "few", ("{spec: {hard: " + hard + "}}").c_str()));
  co_await until(s, kQuotas, "few",
                 [](const std::optional<Json>& quota) { return quota && !object_at(*quota, "status.used").empty(); });
}

Task<void> uses(Server s, std::string resource, std::string amount) {
  co_await until(s, kQuotas, "few", [&](const std::optional<Json>& quota) {
    const auto* used = member(object_at(*quota, "status.used"), resource);
    return used != nullptr && *used == amount;
  });
}

Json claim(const Server& s, const std::string& name, const std::string& size, const std::string& of_class = "gold") {
  auto out = named(s, name, "{spec: {accessModes: [ReadWriteOnce]}}");
  out["spec"]["storageClassName"] = of_class;
  out["spec"]["resources"]["requests"]["storage"] = size;
  return out;
}

std::string words(const std::optional<Error>& failure) { return failure ? failure->message() : ""; }

Task<void> storage(Server s) {
  co_await bounded(s, "{requests.storage: 3Gi, gold.storageclass.storage.k8s.io/persistentvolumeclaims: '2'}");
  co_await s.client->create(kClaims, claim(s, "a", "2Gi"));
  co_await uses(s, "requests.storage", "2Gi");
  co_await uses(s, "gold.storageclass.storage.k8s.io/persistentvolumeclaims", "1");
  const auto much = co_await failure_of(s.client->create(kClaims, claim(s, "b", "1536Mi", "silver")));
  EXPECT_EQ(words(much),
            "persistentvolumeclaims \"b\" is forbidden: exceeded quota: few, requested: requests.storage=1536Mi, used: "
            "requests.storage=2Gi, limited: requests.storage=3Gi");
  EXPECT_EQ(much->code(), Code::kForbidden);
  co_await s.client->create(kClaims, claim(s, "b", "512Mi"));
  co_await uses(s, "gold.storageclass.storage.k8s.io/persistentvolumeclaims", "2");
  EXPECT_EQ(words(co_await failure_of(s.client->create(kClaims, claim(s, "c", "1Gi")))),
            "persistentvolumeclaims \"c\" is forbidden: exceeded quota: few, requested: "
            "gold.storageclass.storage.k8s.io/persistentvolumeclaims=1,requests.storage=1Gi, used: "
            "gold.storageclass.storage.k8s.io/persistentvolumeclaims=2,requests.storage=2560Mi, limited: "
            "gold.storageclass.storage.k8s.io/persistentvolumeclaims=2,requests.storage=3Gi");
  co_await s.client->create(kClaims, claim(s, "c", "256Mi", "silver"));
  co_await s.client->remove(kClaims, {s.ns, "a"});
  co_await uses(s, "requests.storage", "768Mi");
}

Task<void> counts(Server s) {
  co_await bounded(s, "{count/deployments.apps: '1', secrets: '1'}");
  co_await s.client->create(types::deployments(), deployment(s, "a", 0));
  co_await uses(s, "count/deployments.apps", "1");
  EXPECT_EQ(words(co_await failure_of(s.client->create(types::deployments(), deployment(s, "b", 0)))),
            "deployments.apps \"b\" is forbidden: exceeded quota: few, requested: count/deployments.apps=1, used: "
            "count/deployments.apps=1, limited: count/deployments.apps=1");
  co_await s.client->create(types::secrets(), named(s, "a", "{}"));
  co_await uses(s, "secrets", "1");
  const auto dry = kube::WriteOptions{.dry_run = kube::DryRun::kYes};
  EXPECT_EQ(co_await code_of(s.client->create(types::secrets(), named(s, "b", "{}"), dry)), Code::kForbidden);
}

}  // namespace

Cases quota_cases() { return {{"BoundsWhatClaimsAskFor", storage}, {"BoundsNumbersOfObjects", counts}}; }

}  // namespace mtc::sandbox::testing
