#include "plan/mover_admission.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace mtc::plan {
namespace {

using What = Admission::What;

bool any_in(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const auto& each : words) {
    if (text.contains(each)) return true;
  }
  return false;
}

}  // namespace

bool Admission::names_user() const {
  return int_at(pod, "spec.securityContext.runAsUser").has_value() ||
         std::ranges::any_of(array_at(pod, "spec.containers"), [](const Json& container) {
           return int_at(container, "securityContext.runAsUser").has_value();
         });
}

Admission admission_of(const Error& failure) {
  const auto& words = failure.message();
  // A webhook that is down refuses everybody, until it is up.
  if (any_in(words, {"cannot create resource", "because it is being terminated", "does not support dry run",
                     "failed calling webhook"}))
    return {.what = What::kUnknown, .words = words};
  switch (failure.code()) {
    case Code::kForbidden:
      return {.what = words.contains("exceeded quota") ? What::kOverQuota : What::kRefused, .words = words};
    case Code::kInvalid: return {.what = What::kRefused, .words = words};
    default: return {.what = What::kUnknown, .words = words};
  }
}

Task<Admission> ask_admission(kube::ClientPtr cluster, Json pod) {
  Admission in{.what = What::kAdmitted, .words = ""};
  std::optional<Error> failure;
  try {
    in.pod = co_await cluster->create(kube::types::pods(), std::move(pod), {.dry_run = kube::DryRun::kYes});
  } catch (const Error& error) {
    failure = error;
  }
  if (!failure) co_return in;
  auto out = admission_of(*failure);
  if (out.what == What::kUnknown && failure->transient() && !out.words.contains("failed calling webhook"))
    throw *failure;
  co_return out;
}

}  // namespace mtc::plan
