#include "sandbox/pod_security.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "kube/resource.hpp"
#include "sandbox/failure.hpp"

namespace mtc::sandbox {
namespace {

/// Those that a container runtime grants by itself.
constexpr std::array<std::string_view, 13> kDefaultCapabilities = {
    "AUDIT_WRITE",      "CHOWN",   "DAC_OVERRIDE", "FOWNER",  "FSETID", "KILL",      "MKNOD",
    "NET_BIND_SERVICE", "SETFCAP", "SETGID",       "SETPCAP", "SETUID", "SYS_CHROOT"};
constexpr std::array<std::string_view, 8> kOwnVolumes = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"};

using Names = std::vector<std::string>;

std::string quoted(const std::set<std::string>& names) {
  Names out;
  for (const auto& name : names) out.push_back('"' + name + '"');
  return join(out, ", ");
}

/// `container "a"`, `containers "a", "b"`.
std::string counted(const std::string& what, const Names& names) {
  Names out;
  for (const auto& name : names) out.push_back('"' + name + '"');
  return what + (names.size() == 1 ? " " : "s ") + join(out, ", ");
}

/// What stands where: a whole bracket of the message.
class Review {
 public:
  explicit Review(const Json& pod) : spec_(object_at(pod, "spec")), own_(object_at(spec_, "securityContext")) {
    for (const auto* list : {"initContainers", "containers", "ephemeralContainers"}) {
      for (const auto& container : array_at(spec_, list)) containers_.push_back(&container);
    }
  }

  /// `reason (detail), reason (detail)`; "" = nothing is wrong.
  std::string run(bool restricted) {
    host_namespaces();
    if (!restricted) capabilities_beyond_the_default();
    if (!restricted) host_paths();
    host_ports();
    privileged();
    if (!restricted) seccomp_of_nobody();
    if (restricted) {
      privilege_escalation();
      capabilities_at_all();
      volumes();
      not_root();
      root_by_number();
      seccomp();
    }
    return join(found_, ", ");
  }

 private:
  using Test = std::function<bool(const Json& context)>;

  void note(const std::string& reason, const std::string& detail) {
    found_.push_back(fmt::format("{} ({})", reason, detail));
  }

  Names containers_that(const Test& test) const {
    Names out;
    for (const auto* container : containers_) {
      if (test(object_at(*container, "securityContext"))) out.push_back(string_at(*container, "name"));
    }
    return out;
  }

  void host_namespaces() {
    Names shared;
    for (const auto* field : {"hostNetwork", "hostPID", "hostIPC"}) {
      if (bool_at(spec_, field)) shared.push_back(std::string(field) + "=true");
    }
    if (!shared.empty()) note("host namespaces", join(shared, ", "));
  }

  void privileged() {
    const auto bad = containers_that([](const Json& context) { return bool_at(context, "privileged"); });
    if (!bad.empty()) note("privileged", counted("container", bad) + " must not set securityContext.privileged=true");
  }

  void host_paths() {
    Names bad;
    for (const auto& volume : array_at(spec_, "volumes")) {
      if (volume.contains("hostPath")) bad.push_back(string_at(volume, "name"));
    }
    if (!bad.empty()) note("hostPath volumes", counted("volume", bad));
  }

  void host_ports() {
    Names bad;
    std::set<std::string> ports;
    for (const auto* container : containers_) {
      const auto before = ports.size();
      for (const auto& port : array_at(*container, "ports")) {
        if (const auto number = int_at(port, "hostPort").value_or(0); number != 0) ports.insert(std::to_string(number));
      }
      if (ports.size() > before) bad.push_back(string_at(*container, "name"));
    }
    if (bad.empty()) return;
    note("hostPort",
         fmt::format("{} {} {} {}", counted("container", bad), bad.size() == 1 ? "uses" : "use",
                     ports.size() == 1 ? "hostPort" : "hostPorts", join({ports.begin(), ports.end()}, ", ")));
  }

  /// Containers that add what `may` does not let them, with what that is.
  std::pair<Names, std::set<std::string>> adding(const std::function<bool(std::string_view)>& may) const {
    std::set<std::string> added;
    auto bad = containers_that([&](const Json& context) {
      bool any = false;
      for (const auto& name : strings_at(context, "capabilities.add")) {
        if (may(name)) continue;
        added.insert(name);
        any = true;
      }
      return any;
    });
    return {std::move(bad), std::move(added)};
  }

  static std::string not_to_add(const Names& bad, const std::set<std::string>& added) {
    return fmt::format("{} must not include {} in securityContext.capabilities.add", counted("container", bad),
                       quoted(added));
  }

  void capabilities_beyond_the_default() {
    const auto [bad, added] = adding([](std::string_view name) {
      return std::ranges::find(kDefaultCapabilities, name) != kDefaultCapabilities.end();
    });
    if (!bad.empty()) note("non-default capabilities", not_to_add(bad, added));
  }

  void capabilities_at_all() {
    const auto keeping = containers_that([](const Json& context) {
      const auto dropped = strings_at(context, "capabilities.drop");
      return std::ranges::find(dropped, "ALL") == dropped.end();
    });
    const auto [bad, added] = adding([](std::string_view name) { return name == "NET_BIND_SERVICE"; });
    Names details;
    if (!keeping.empty())
      details.push_back(counted("container", keeping) + " must set securityContext.capabilities.drop=[\"ALL\"]");
    if (!bad.empty()) details.push_back(not_to_add(bad, added));
    if (!details.empty()) note("unrestricted capabilities", join(details, "; "));
  }

  void privilege_escalation() {
    const auto bad =
        containers_that([](const Json& context) { return bool_at(context, "allowPrivilegeEscalation", true); });
    if (!bad.empty()) {
      note("allowPrivilegeEscalation != false",
           counted("container", bad) + " must set securityContext.allowPrivilegeEscalation=false");
    }
  }

  void volumes() {
    Names bad;
    std::set<std::string> kinds;
    for (const auto& volume : array_at(spec_, "volumes")) {
      for (const auto& [kind, source] : volume.items()) {
        if (kind == "name" || std::ranges::find(kOwnVolumes, kind) != kOwnVolumes.end()) continue;
        bad.push_back(string_at(volume, "name"));
        kinds.insert(kind);
      }
    }
    if (bad.empty()) return;
    note("restricted volume types",
         fmt::format("{} {} {} {}", counted("volume", bad), bad.size() == 1 ? "uses" : "use",
                     kinds.size() == 1 ? "restricted volume type" : "restricted volume types", quoted(kinds)));
  }

  /// "pod and container "a"": who sets what must not be set.
  std::string setters(bool pod, const Names& bad) const {
    Names out;
    if (pod) out.emplace_back("pod");
    if (!bad.empty()) out.push_back(counted("container", bad));
    return join(out, " and ");
  }

  void not_root() {
    const auto says = [](const Json& context, bool value) {
      return context.contains("runAsNonRoot") && bool_at(context, "runAsNonRoot") == value;
    };
    const auto wrong = setters(says(own_, false), containers_that([&](const Json& c) { return says(c, false); }));
    if (!wrong.empty()) return note("runAsNonRoot != true", wrong + " must not set securityContext.runAsNonRoot=false");
    if (says(own_, true)) return;
    const auto silent = containers_that([&](const Json& context) { return !says(context, true); });
    if (!silent.empty()) {
      note("runAsNonRoot != true",
           fmt::format("pod or {} must set securityContext.runAsNonRoot=true", counted("container", silent)));
    }
  }

  void root_by_number() {
    const auto is_root = [](const Json& context) { return int_at(context, "runAsUser") == 0; };
    const auto wrong = setters(is_root(own_), containers_that(is_root));
    if (!wrong.empty()) note("runAsUser=0", wrong + " must not set runAsUser=0");
  }

  /// False if somebody asks for no profile, which is noted.
  bool seccomp_of_nobody() {
    std::set<std::string> values;
    const auto is_bad = [&](const Json& context) {
      const auto type = string_at(context, "seccompProfile.type");
      if (type.empty() || type == "RuntimeDefault" || type == "Localhost") return false;
      values.insert(type);
      return true;
    };
    const auto wrong = setters(is_bad(own_), containers_that(is_bad));
    if (wrong.empty()) return true;
    note("seccompProfile",
         fmt::format("{} must not set securityContext.seccompProfile.type to {}", wrong, quoted(values)));
    return false;
  }

  void seccomp() {
    const auto is_silent = [](const Json& context) { return string_at(context, "seccompProfile.type").empty(); };
    if (!seccomp_of_nobody() || !is_silent(own_)) return;
    const auto silent = containers_that(is_silent);
    if (silent.empty()) return;
    note("seccompProfile",
         fmt::format("pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
                     counted("container", silent)));
  }

  const Json& spec_;
  const Json& own_;  ///< the pod's securityContext
  std::vector<const Json*> containers_;
  Names found_;
};

}  // namespace

void check_pod_security(const Storage& storage, const Json& pod) {
  const auto key = kube::key_of(pod);
  const auto ns = storage.get({"namespaces", "", key.ns});
  const auto level = ns ? kube::label(*ns, "pod-security.kubernetes.io/enforce") : "";
  if (level != "baseline" && level != "restricted") return;
  const auto found = Review(pod).run(level == "restricted");
  if (found.empty()) return;
  const auto version = kube::label(*ns, "pod-security.kubernetes.io/enforce-version");
  throw Failure(403, "Forbidden",
                fmt::format("pods \"{}\" is forbidden: violates PodSecurity \"{}:{}\": {}", key.name, level,
                            version.empty() ? "latest" : version, found),
                {{"name", key.name}, {"kind", "pods"}});
}

}  // namespace mtc::sandbox
