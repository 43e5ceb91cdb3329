#include "sandbox/pod_command.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "sandbox/controller_tools.hpp"
#include "sandbox/pod_field.hpp"

namespace mtc::sandbox {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

/// "host:5000/x/mtc:1@sha256:…" without tag and digest.
std::string repository_of(const std::string& image) {
  const auto name = image.substr(0, image.find('@'));
  const auto colon = name.find(':', name.rfind('/') == std::string::npos ? 0 : name.rfind('/'));
  return name.substr(0, colon);
}

/// The value of a key of a Secret or a ConfigMap; nullopt if an optional one is not there.
std::optional<std::string> key_of_object(const Json& pod, const Json& reference, const char* plural,
                                         const Storage& storage) {
  const bool is_secret = std::string_view(plural) == "secrets";
  const auto name = string_at(reference, "name"), key = string_at(reference, "key");
  const auto object = storage.get({plural, ns_of(pod), name});
  const auto* value = object ? member(object_at(*object, "data"), key) : nullptr;
  if (value != nullptr && value->is_string()) {
    auto text = value->get<std::string>();
    return is_secret ? base64_decode(text) : std::move(text);
  }
  if (bool_at(reference, "optional")) return std::nullopt;
  throw Error(Code::kNotFound, object ? fmt::format("couldn't find key {} in {} {}/{}", key,
                                                    is_secret ? "Secret" : "ConfigMap", ns_of(pod), name)
                                      : fmt::format("{} \"{}\" not found", is_secret ? "secret" : "configmap", name));
}

std::optional<std::string> value_of(const Json& pod, const Json& variable, const Variables& earlier,
                                    const Storage& storage) {
  if (const auto* field = find(variable, "valueFrom.fieldRef")) return field_of(pod, string_at(*field, "fieldPath"));
  if (const auto* key = find(variable, "valueFrom.secretKeyRef")) return key_of_object(pod, *key, "secrets", storage);
  if (const auto* key = find(variable, "valueFrom.configMapKeyRef"))
    return key_of_object(pod, *key, "configmaps", storage);
  return expand(string_at(variable, "value"), earlier);
}

/// A path in its real place, if a mount has it; mounts inside others come first.
std::string placed(const std::string& path, const std::vector<Mount>& deepest_first) {
  for (const auto& mount : deepest_first) {
    if (path == mount.path) return mount.place;
    if (path.starts_with(mount.path + "/")) return mount.place + path.substr(mount.path.size());
  }
  return path;
}

std::string placed_argument(const std::string& argument, const std::vector<Mount>& deepest_first) {
  const auto equals = argument.starts_with("--") ? argument.find('=') : std::string::npos;
  if (equals == std::string::npos) return placed(argument, deepest_first);
  return argument.substr(0, equals + 1) + placed(argument.substr(equals + 1), deepest_first);
}

}  // namespace

bool is_process(const Json& pod) {
  const auto& containers = array_at(pod, "spec.containers");
  return containers.size() == 1 && array_at(pod, "spec.initContainers").empty() &&
         repository_of(string_at(containers[0], "image")).ends_with("/mtc");
}

PodCommand command_of(const Json& pod, const std::vector<Mount>& mounts, const Storage& storage) {
  const auto& container = array_at(pod, "spec.containers").at(0);
  const auto command = strings_at(container, "command");
  const bool is_mtc = command.empty() || command.front() == "mtc" || command.front().ends_with("/mtc");
  if (!is_mtc)
    throw Error(Code::kUnsupported,
                fmt::format("\"{}\": the embedded cluster runs mtc and no other program", command.front()));
  auto deepest_first = mounts;
  std::ranges::sort(deepest_first, std::ranges::greater(), [](const Mount& mount) { return mount.path.size(); });
  Variables variables;
  for (const auto& variable : array_at(container, "env")) {
    if (auto value = value_of(pod, variable, variables, storage))
      variables.emplace_back(string_at(variable, "name"), std::move(*value));
  }
  PodCommand out;
  for (const auto& [name, value] : variables) out.environment.push_back(name + "=" + placed(value, deepest_first));
  for (const auto& word : command | std::views::drop(1))
    out.arguments.push_back(placed_argument(expand(word, variables), deepest_first));
  for (const auto& word : strings_at(container, "args"))
    out.arguments.push_back(placed_argument(expand(word, variables), deepest_first));
  return out;
}

std::string expand(const std::string& text, const Variables& variables) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '$' || at + 1 == text.size()) {
      out += text[at++];
      continue;
    }
    if (text[at + 1] == '$') {  // an escape
      out += '$';
      at += 2;
      continue;
    }
    const auto end = text[at + 1] == '(' ? text.find(')', at) : std::string::npos;
    if (end == std::string::npos) {
      out += text[at++];
      continue;
    }
    const auto name = text.substr(at + 2, end - at - 2);
    // Of two with one name, the later one holds.
    const auto known = std::ranges::find(variables.rbegin(), variables.rend(), name, &Variables::value_type::first);
    out += known == variables.rend() ? text.substr(at, end + 1 - at) : known->second;
    at = end + 1;
  }
  return out;
}

}  // namespace mtc::sandbox
