#include "sandbox/pod_field.hpp"

#include <string_view>

namespace mtc::sandbox {
namespace {

/// A key in quotes and brackets at the end of a field's path: "metadata.labels['a']" → "a".
std::string key_in(const std::string& path) {
  const auto from = path.find("['"), to = path.rfind("']");
  return from == std::string::npos || to == std::string::npos || to < from + 2 ? ""
                                                                               : path.substr(from + 2, to - from - 2);
}

}  // namespace

std::string field_of(const Json& pod, const std::string& path) {
  for (const auto* map : {"metadata.labels", "metadata.annotations"}) {
    if (!path.starts_with(std::string(map) + "[")) continue;
    const auto* value = member(object_at(pod, map), key_in(path));
    return value != nullptr && value->is_string() ? value->get<std::string>() : "";
  }
  return string_at(pod, path);
}

}  // namespace mtc::sandbox
