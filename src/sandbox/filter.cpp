#include "sandbox/filter.hpp"

#include <map>

namespace mtc::sandbox {
namespace {

std::string text_at(const Json& object, const std::string& path) {
  const auto* at = find(object, path);
  if (at == nullptr) return "";
  return at->is_string() ? at->get<std::string>() : dump(*at);
}

}  // namespace

bool Filter::matches(const Json& object) const {
  if (!labels_.matches(object_at(object, "metadata.labels"))) return false;
  if (fields_.empty()) return true;
  std::map<std::string, std::string> values;
  for (const auto& requirement : fields_.requirements()) values[requirement.key] = text_at(object, requirement.key);
  return fields_.matches(values);
}

std::string Filter::event_type(const Event& event) const {
  const bool now = event.type != Event::Type::kDeleted && matches(*event.object);
  const bool before = event.previous != nullptr && matches(*event.previous);
  if (now && !before) return "ADDED";
  if (now) return "MODIFIED";
  return before ? "DELETED" : "";
}

}  // namespace mtc::sandbox
