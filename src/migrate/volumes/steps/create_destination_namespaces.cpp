#include <map>

#include <fmt/format.h>

#include "base/error.hpp"
#include "migrate/volumes/steps/steps.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr auto kPatience = std::chrono::minutes(2);
constexpr auto kOwnName = "kubernetes.io/metadata.name";

/// With the annotations and labels of the source's: they carry the range of user ids and the level that Pod Security
/// enforces.
Json namespace_like(const Json& source, const std::string& name) {
  Json metadata = {{"name", name}};
  for (const auto* part : {"annotations", "labels"}) {
    auto copied = object_at(source, std::string("metadata.") + part);
    copied.erase(kOwnName);
    copied.erase("kubectl.kubernetes.io/last-applied-configuration");
    if (!copied.empty()) metadata[part] = std::move(copied);
  }
  return {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", std::move(metadata)}};
}

}  // namespace

Task<Outcome> create_destination_namespaces(Copying& c) {
  std::map<std::string, std::string> source_of;
  for (const auto& claim : c.self.claims) source_of.emplace(claim.target.ns, claim.source.ns);
  for (const auto& [name, source] : source_of) {
    const auto like = co_await kube::must_get(*c.source, kube::types::namespaces(), {"", source});
    const auto [stored, made] =
        co_await kube::ensure(*c.destination, kube::types::namespaces(), namespace_like(like, name));
    if (string_at(stored, "metadata.deletionTimestamp").empty()) continue;
    if (c.in_phase() > kPatience) {
      co_return fail("MigrationFailed",
                     {fmt::format("Namespace {} of the destination is being deleted and does not go.", name)});
    }
    co_return wait_for({{c.destination, kube::types::namespaces(), "", ""}}, std::chrono::seconds(30));
  }
  co_return done();
}

}  // namespace mtc::migrate::volumes
