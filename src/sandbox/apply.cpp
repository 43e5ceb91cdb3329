#include "sandbox/apply.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace mtc::sandbox {
namespace {

struct Child {
  std::string step;
  const Json* value;
  FieldType type;
};

/// What is one step below a value that is no atom.
std::vector<Child> children_of(const FieldType& type, const Json& value) {
  std::vector<Child> out;
  if (value.is_array()) {
    for (const auto& element : value) out.push_back({type.step_to(element), &element, type.element()});
  } else if (value.is_object()) {
    for (const auto& [name, child] : value.items()) out.push_back({"f:" + name, &child, type.field(name)});
  }
  return out;
}

/// A value that came or went as a whole: it and everything below it.
FieldSet whole(const FieldType& type, const Json& value) {
  FieldSet out;
  out.owned = true;
  if (type.is_atomic(value)) return out;
  for (const auto& child : children_of(type, value)) out.below[child.step] = whole(child.type, *child.value);
  return out;
}

void compare(const FieldType& type, const Json& before, const Json& after, FieldSet& set, FieldSet& removed) {
  if (before == after) return;
  if (type.is_atomic(before) || type.is_atomic(after) || before.type() != after.type()) {
    set.owned = true;
    return;
  }
  std::map<std::string, Child> old;
  for (auto& child : children_of(type, before)) old.emplace(child.step, child);
  for (const auto& child : children_of(type, after)) {
    const auto at = old.find(child.step);
    if (at == old.end()) {
      set.below[child.step] = whole(child.type, *child.value);
      continue;
    }
    FieldSet child_set, child_removed;
    compare(child.type, *at->second.value, *child.value, child_set, child_removed);
    if (!child_set.empty()) set.below[child.step] = std::move(child_set);
    if (!child_removed.empty()) removed.below[child.step] = std::move(child_removed);
    old.erase(at);
  }
  for (const auto& [step, child] : old) removed.below[step] = whole(child.type, *child.value);
}

/// The order of the applied list; what only the live one has stays where it was between them.
Json merged_lists(const FieldType& type, const Json& live, const Json& applied) {
  const auto left = children_of(type, live), right = children_of(type, applied);
  std::map<std::string, const Json*> lefts;
  std::set<std::string> rights;
  for (const auto& child : left) lefts.emplace(child.step, child.value);
  for (const auto& child : right) rights.insert(child.step);
  Json out = Json::array();
  auto at_left = left.begin();
  const auto take_left = [&] {
    for (; at_left != left.end() && !rights.contains(at_left->step); ++at_left) out.push_back(*at_left->value);
  };
  for (const auto& child : right) {
    take_left();
    const auto known = lefts.find(child.step);
    out.push_back(known == lefts.end() ? *child.value : merged(child.type, *known->second, *child.value));
    if (at_left != left.end() && at_left->step == child.step) ++at_left;
  }
  for (; at_left != left.end(); ++at_left) {
    if (!rights.contains(at_left->step)) out.push_back(*at_left->value);
  }
  return out;
}

}  // namespace

FieldSet fields_of(const FieldType& type, const Json& value) {
  FieldSet out;
  if (type.is_atomic(value)) {
    out.owned = true;
    return out;
  }
  for (const auto& child : children_of(type, value)) {
    auto& set = out.below[child.step] = fields_of(child.type, *child.value);
    // An element is owned beside its fields; an object that is empty has nothing else to own.
    if (value.is_array() || child.value->empty()) set.owned = true;
  }
  return out;
}

FieldChanges changes_between(const FieldType& type, const Json& before, const Json& after) {
  FieldChanges out;
  compare(type, before, after, out.set, out.removed);
  return out;
}

Json merged(const FieldType& type, const Json& live, const Json& applied) {
  if (type.is_atomic(applied) || live.type() != applied.type()) return applied;
  if (applied.is_array()) return merged_lists(type, live, applied);
  Json out = live;
  for (const auto& child : children_of(type, applied)) {
    const auto name = child.step.substr(2);
    const auto* known = member(live, name);
    out[name] = known == nullptr ? *child.value : merged(child.type, *known, *child.value);
  }
  return out;
}

void remove_fields(const FieldType& type, Json& value, const FieldSet& dropped, const FieldSet& kept) {
  if (type.is_atomic(value)) return;
  const auto treat = [&](const FieldType& below, const std::string& step, Json& child) {
    const auto* gone = dropped.at(step);
    if (gone == nullptr) return false;
    const auto* still = kept.at(step);
    if (still == nullptr) return true;
    remove_fields(below, child, *gone, *still);
    return false;
  };
  if (value.is_array()) {
    Json left = Json::array();
    for (auto& element : value) {
      const auto step = type.step_to(element);
      if (!treat(type.element(), step, element)) left.push_back(std::move(element));
    }
    value = std::move(left);
    return;
  }
  for (auto at = value.begin(); at != value.end();)
    at = treat(type.field(at.key()), "f:" + at.key(), at.value()) ? value.erase(at) : std::next(at);
}

}  // namespace mtc::sandbox
