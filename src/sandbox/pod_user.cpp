#include "sandbox/pod_user.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"

namespace mtc::sandbox {
namespace {

/// The container's own word counts before the pod's.
template <typename Value>
std::optional<Value> chosen(const Json& pod, const char* field,
                            std::optional<Value> (*read)(const Json&, const char*)) {
  for (const auto* context : {&object_at(array_at(pod, "spec.containers").at(0), "securityContext"),
                              &object_at(pod, "spec.securityContext")}) {
    if (auto value = read(*context, field)) return value;
  }
  return std::nullopt;
}

std::optional<std::int64_t> number(const Json& context, const char* field) { return int_at(context, field); }
std::optional<bool> truth(const Json& context, const char* field) {
  return context.contains(field) ? std::optional(bool_at(context, field)) : std::nullopt;
}

}  // namespace

std::optional<async::Credentials> credentials_of(const Json& pod) {
  const auto user = chosen<std::int64_t>(pod, "runAsUser", number).value_or(0);
  if (user == 0) {
    if (chosen<bool>(pod, "runAsNonRoot", truth).value_or(false))
      throw Error(Code::kInvalid, "container has runAsNonRoot and image will run as root");
    return std::nullopt;
  }
  if (geteuid() != 0) {
    if (geteuid() == static_cast<uid_t>(user)) return std::nullopt;
    throw Error(Code::kUnsupported, fmt::format("the embedded cluster is run by user {}, who cannot start a process of "
                                                "user {}",
                                                geteuid(), user));
  }
  async::Credentials out;
  out.user = static_cast<uid_t>(user);
  out.group = static_cast<gid_t>(chosen<std::int64_t>(pod, "runAsGroup", number).value_or(0));
  const auto& own = object_at(pod, "spec.securityContext");
  if (const auto group = int_at(own, "fsGroup")) out.groups.push_back(static_cast<gid_t>(*group));
  for (const auto& group : array_at(own, "supplementalGroups")) out.groups.push_back(group.get<gid_t>());
  return out;
}

}  // namespace mtc::sandbox
