#include "sandbox/testing/conformance.hpp"

#include "base/rng.hpp"
#include "sandbox/testing/helpers.hpp"

namespace mtc::sandbox::testing {

Cases conformance_cases() {
  Cases out;
  for (const auto area :
       {object_cases,  conflict_cases,   patch_cases,    strategic_patch_cases, apply_cases,    apply_type_cases,
        dry_run_cases, selector_cases,   paging_cases,   watch_cases,           deletion_cases, immutability_cases,
        schema_cases,  definition_cases, access_cases,   token_cases,           workload_cases, pod_security_cases,
        quota_cases,   volume_cases,     discovery_cases}) {
    for (auto& one : area()) out.push_back(std::move(one));
  }
  return out;
}

Task<void> run_case(kube::ClientPtr client, kube::Connection connection, Case what) {
  const auto ns = "conformance-" + name_suffix(system_rng(), 8);
  co_await client->create(types::namespaces(), {{"metadata", {{"name", ns}}}});
  std::exception_ptr failure;
  try {
    co_await what.run({client, connection, ns});
  } catch (...) {  // The namespace goes first.
    failure = std::current_exception();
  }
  co_await client->remove(types::custom_resource_definitions(), {"", "widgets." + widget_type(ns).group});
  co_await client->remove(types::namespaces(), {"", ns});
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mtc::sandbox::testing
