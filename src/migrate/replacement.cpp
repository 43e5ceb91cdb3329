#include "migrate/replacement.hpp"

#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "migrate/swap.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kObject = "object.json";
constexpr auto kReplaces = "replaces";

Json record_of(const Replacement& replacement, const std::string& plan_uid) {
  const auto key = replacement.record();
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata",
           {{"namespace", key.ns},
            {"name", key.name},
            {"labels", {{api::labels::kPartOf, api::kNamespace}, {api::labels::kReplacedByPlan, plan_uid}}}}},
          {"data", {{kObject, dump(replacement.object)}, {kReplaces, replacement.replaces}}}};
}

Replacement read_record(const Json& record) {
  const auto& data = object_at(record, "data");
  const auto* text = member(data, kObject);
  Replacement out;
  out.object = parse_json(text == nullptr || !text->is_string() ? "" : text->get<std::string>());
  out.type = string_at(out.object, "kind") == "Job" ? kube::types::jobs() : kube::types::stateful_sets();
  out.replaces = string_at(data, kReplaces);
  return out;
}

/// Whether this is what was to be created, and not what somebody else made in its place.
bool is_it(const Json& found, const Replacement& wanted) {
  return claims_named_in(found, wanted.type) == claims_named_in(wanted.object, wanted.type);
}

Task<void> create(kube::ClientPtr cluster, Replacement wanted) {
  std::optional<Error> failure;
  try {
    co_await kube::ensure(*cluster, wanted.type, wanted.object);
  } catch (const Error& error) {
    failure = error;
  }
  if (!failure) co_return;
  throw Error(failure->code(),
              fmt::format("{} is deleted and was not created again: {}. What it shall be is kept: kubectl -n {} get "
                          "configmap {} -o jsonpath='{{.data.object\\.json}}' | kubectl create -f -",
                          wanted.str(), failure->what(), wanted.key().ns, wanted.record().name));
}

}  // namespace

kube::ObjectKey Replacement::record() const {
  return {key().ns, "mtc-replacement-" + hex(md5(type.kind + "/" + key().name)).substr(0, 10)};
}

std::string Replacement::str() const { return fmt::format("{} {}", type.kind, key().str()); }

Task<Replacement> store(kube::ClientPtr cluster, Replacement replacement, std::string plan_uid) {
  const auto [stored, made] =
      co_await kube::ensure(*cluster, kube::types::config_maps(), record_of(replacement, plan_uid));
  co_return made ? std::move(replacement) : read_record(stored);
}

Task<std::vector<Replacement>> stored_replacements(kube::ClientPtr cluster, std::string ns, std::string plan_uid) {
  const kube::ListOptions ours{.label_selector = fmt::format("{}={}", api::labels::kReplacedByPlan, plan_uid)};
  std::vector<Replacement> out;
  for (const auto& record : co_await kube::list_all(*cluster, kube::types::config_maps(), ns, ours))
    out.push_back(read_record(record));
  co_return out;
}

Task<bool> replace(kube::ClientPtr cluster, Replacement replacement) {
  auto found = co_await cluster->get(replacement.type, replacement.key());
  if (found && kube::uid_of(*found) == replacement.replaces) {
    // Pods that a set still has are adopted by the next one; a Job's ended ones go with it.
    const bool orphans = replacement.type.plural == "statefulsets";
    co_await cluster->remove(replacement.type, replacement.key(),
                             {.propagation = orphans ? kube::Propagation::kOrphan : kube::Propagation::kBackground,
                              .uid = replacement.replaces});
    found = co_await cluster->get(replacement.type, replacement.key());
    if (found && kube::uid_of(*found) == replacement.replaces) co_return false;
  }
  if (!found) {
    co_await create(cluster, replacement);
  } else if (!is_it(*found, replacement)) {
    throw Error(Code::kInvalid,
                fmt::format("{} was to be created again with other claims, and somebody else has created it with those "
                            "that it had: pause what keeps it as it is (an operator, a tool of GitOps)",
                            replacement.str()));
  }
  co_await cluster->remove(kube::types::config_maps(), replacement.record());
  co_return true;
}

}  // namespace mtc::migrate
