#include "sandbox/field_set.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"

namespace mtc::sandbox {
namespace {

constexpr auto kItself = ".";

std::string shown(const std::string& step) {
  const auto what = step.substr(2);
  if (step.starts_with("f:")) return "." + what;
  if (step.starts_with("v:")) return fmt::format("[={}]", what);
  std::vector<std::string> keys;
  for (const auto& [name, value] : parse_json(what).items()) keys.push_back(fmt::format("{}={}", name, dump(value)));
  return fmt::format("[{}]", join(keys, ","));
}

void collect(const FieldSet& set, const std::string& path, std::vector<std::string>& out) {
  if (set.owned) out.push_back(path);
  for (const auto& [step, child] : set.below) collect(child, path + shown(step), out);
}

}  // namespace

const FieldSet* FieldSet::at(const std::string& step) const {
  const auto found = below.find(step);
  return found == below.end() ? nullptr : &found->second;
}

FieldSet FieldSet::from_json(const Json& fields_v1) {
  FieldSet out;
  for (const auto& [step, child] : fields_v1.items()) {
    if (step == kItself) {
      out.owned = true;
    } else {
      auto& set = out.below[step] = from_json(child);
      if (child.empty()) set.owned = true;
    }
  }
  return out;
}

Json FieldSet::to_json() const {
  Json out = Json::object();
  if (owned && !below.empty()) out[kItself] = Json::object();
  for (const auto& [step, child] : below) out[step] = child.to_json();
  return out;
}

FieldSet FieldSet::united(const FieldSet& other) const {
  auto out = *this;
  out.owned = owned || other.owned;
  for (const auto& [step, child] : other.below) {
    const auto* mine = at(step);
    out.below[step] = mine != nullptr ? mine->united(child) : child;
  }
  return out;
}

FieldSet FieldSet::without(const FieldSet& other) const {
  FieldSet out;
  out.owned = owned && !other.owned;
  for (const auto& [step, child] : below) {
    const auto* theirs = other.at(step);
    auto left = theirs != nullptr ? child.without(*theirs) : child;
    if (!left.empty()) out.below[step] = std::move(left);
  }
  return out;
}

FieldSet FieldSet::common(const FieldSet& other) const {
  FieldSet out;
  out.owned = owned && other.owned;
  for (const auto& [step, child] : below) {
    const auto* theirs = other.at(step);
    if (theirs == nullptr) continue;
    auto both = child.common(*theirs);
    if (!both.empty()) out.below[step] = std::move(both);
  }
  return out;
}

std::vector<std::string> FieldSet::paths() const {
  std::vector<std::string> out;
  collect(*this, "", out);
  return out;
}

}  // namespace mtc::sandbox
