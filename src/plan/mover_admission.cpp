#include "plan/mover_admission.hpp"

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

Admission admission_of(const Error& failure) {
  const auto& words = failure.message();
  // A webhook that is down refuses everybody, until it is up.
  if (any_in(words, {"cannot create resource", "because it is being terminated", "does not support dry run",
                     "failed calling webhook"}))
    return {What::kUnknown, words};
  switch (failure.code()) {
    case Code::kForbidden: return {words.contains("exceeded quota") ? What::kOverQuota : What::kRefused, words};
    case Code::kInvalid: return {What::kRefused, words};
    default: return {What::kUnknown, words};
  }
}

Task<Admission> ask_admission(kube::ClientPtr cluster, Json pod) {
  std::optional<Error> failure;
  try {
    co_await cluster->create(kube::types::pods(), std::move(pod), {.dry_run = kube::DryRun::kYes});
  } catch (const Error& error) {
    failure = error;
  }
  if (!failure) co_return Admission{What::kAdmitted, ""};
  auto out = admission_of(*failure);
  if (out.what == What::kUnknown && failure->transient() && !out.words.contains("failed calling webhook"))
    throw *failure;
  co_return out;
}

}  // namespace mtc::plan
