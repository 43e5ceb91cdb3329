#include "migrate/steps/migrated_objects.hpp"

#include <fmt/format.h>

#include "api/names.hpp"
#include "async/scope.hpp"
#include "json/json.hpp"

namespace mtc::migrate {
namespace {

constexpr std::size_t kParallel = 8;

struct Place {
  kube::ResourceType type;
  std::string ns;
};

Task<std::vector<Place>> places(Migration& m) {
  std::vector<Place> out;
  // Kinds come and go, and one that is gone cannot be listed.
  const auto discovery = co_await m.destination->discovery(kube::Client::Refresh::kYes);
  for (const auto& entry : discovery->entries()) {
    if (!entry.preferred || !entry.type.namespaced || !entry.can("list") || !entry.can("delete")) continue;
    // What was written to converted claims is nowhere else.
    if (m.flags.storage_conversion && entry.type == kube::types::persistent_volume_claims()) continue;
    for (const auto& ns : m.destination_namespaces()) out.push_back({entry.type, ns});
  }
  co_return out;
}

Task<void> find_at(kube::ClientPtr cluster, Place where, std::string selector, std::vector<MigratedObject>* out) {
  const kube::ListOptions options{.label_selector = std::move(selector)};
  for (const auto& object : co_await kube::list_all(*cluster, where.type, where.ns, options)) {
    auto key = kube::key_of(object);
    if (where.type.plural == "serviceaccounts" && key.name == "default") continue;
    out->push_back({where.type, std::move(key)});
  }
}

}  // namespace

std::string migrated_selector(const Migration& m) {
  return fmt::format("{}={}", api::labels::kMigratedByPlan, m.plan.uid);
}

Task<std::vector<MigratedObject>> migrated_objects(Migration& m) {
  std::vector<MigratedObject> found;
  const auto all = co_await places(m);
  co_await async::parallel_for(all.size(), kParallel, [&](std::size_t i) {
    return find_at(m.destination, all[i], migrated_selector(m), &found);
  });
  co_return found;
}

}  // namespace mtc::migrate
