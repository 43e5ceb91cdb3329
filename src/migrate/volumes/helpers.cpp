#include "migrate/volumes/helpers.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "api/names.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "migrate/volumes/advance.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr std::size_t kParallel = 8;
constexpr std::size_t kNamed = 5;

Task<void> remove_one(Helper helper) { co_await helper.cluster->remove(helper.type, helper.key); }

Task<void> find_in(kube::ClientPtr cluster, std::string ns, std::string selector, std::vector<Helper>* out) {
  for (const auto& type : helper_types()) {
    const kube::ListOptions options{.label_selector = selector};
    for (const auto& object : co_await kube::list_all(*cluster, type, ns, options))
      out->push_back({cluster, type, kube::key_of(object), object_at(object, "metadata.labels")});
  }
}

}  // namespace

const std::vector<kube::ResourceType>& helper_types() {
  static const std::vector<kube::ResourceType> types = {kube::types::pods(), kube::types::secrets(),
                                                        kube::types::services()};
  return types;
}

Task<std::vector<Helper>> helpers_at(Places places, std::string selector) {
  std::vector<Helper> out;
  for (const auto& ns : places.source_namespaces) co_await find_in(places.source, ns, selector, &out);
  const bool same = places.source == places.destination;
  for (const auto& ns : places.destination_namespaces) {
    if (!same || !places.source_namespaces.contains(ns)) co_await find_in(places.destination, ns, selector, &out);
  }
  co_return out;
}

Task<std::vector<Helper>> helpers(Copying& c, std::string selector) {
  return helpers_at({.source = c.source,
                     .destination = c.destination,
                     .source_namespaces = c.source_namespaces(),
                     .destination_namespaces = c.destination_namespaces()},
                    std::move(selector));
}

Task<void> remove(std::vector<Helper> which) {
  co_await async::parallel_for(which.size(), kParallel, [&](std::size_t i) { return remove_one(which[i]); });
}

std::string names_of(const std::vector<Helper>& which) {
  std::vector<std::string> names;
  for (const auto& helper : which) {
    if (names.size() < kNamed) names.push_back(fmt::format("{} {}", helper.type.kind, helper.key.str()));
  }
  return join(names, ", ");
}

std::vector<Subject> subjects_of(const std::vector<Helper>& which, const std::string& selector) {
  std::vector<Subject> out;
  std::set<std::tuple<const kube::Client*, std::string, std::string>> seen;
  for (const auto& helper : which) {
    if (seen.emplace(helper.cluster.get(), helper.type.plural, helper.key.ns).second)
      out.push_back({helper.cluster, helper.type, helper.key.ns, selector});
  }
  return out;
}

Task<std::map<kube::ObjectKey, Json>> pods_of(Copying& c, Side side) {
  std::map<kube::ObjectKey, Json> out;
  for (const auto& subject : pod_subjects(c, side)) {
    const kube::ListOptions options{.label_selector = subject.label_selector};
    for (auto& pod : co_await kube::list_all(*subject.cluster, subject.type, subject.ns, options)) {
      const auto key = kube::key_of(pod);
      out[key] = std::move(pod);
    }
  }
  co_return out;
}

std::vector<Subject> pod_subjects(const Copying& c, Side side) {
  const bool source = side == Side::kSource;
  std::vector<Subject> out;
  for (const auto& ns : source ? c.source_namespaces() : c.destination_namespaces())
    out.push_back({source ? c.source : c.destination, kube::types::pods(), ns, selector_of(c)});
  return out;
}

Task<Json> ensure_labelled(kube::ClientPtr cluster, kube::ResourceType type, Json object, std::string owner) {
  const auto ours = kube::label(object, owner);
  const auto [stored, made] = co_await kube::ensure(*cluster, type, std::move(object));
  if (!made && kube::label(stored, owner) != ours) {
    throw Error(Code::kConflict, fmt::format("{} {} is there already and is none of {} {}: delete it", type.kind,
                                             kube::key_of(stored).str(), owner, ours));
  }
  co_return stored;
}

Task<Json> ensure_ours(kube::ClientPtr cluster, kube::ResourceType type, Json object) {
  return ensure_labelled(std::move(cluster), std::move(type), std::move(object), api::labels::kDirectVolumeMigration);
}

Task<bool> remove_helpers(Copying* c, std::vector<Subject>* wake_on) {
  co_await remove(co_await helpers(*c, selector_of(*c)));
  const auto left = co_await helpers(*c, selector_of(*c));
  *wake_on = subjects_of(left, selector_of(*c));
  const bool gone = left.empty();
  co_return gone;
}

}  // namespace mtc::migrate::volumes
