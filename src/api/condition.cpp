#include "api/condition.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace mtc::api {
namespace {

Category parse_category(std::string_view text) {
  for (const auto category : {Category::kCritical, Category::kError, Category::kWarn, Category::kRequired}) {
    if (to_string(category) == text) return category;
  }
  return Category::kAdvisory;
}

/// The message as stored: "[]" filled with the items.
std::string rendered(const Condition& condition) {
  auto message = condition.message;
  if (const auto at = message.find("[]"); at != std::string::npos)
    message.replace(at, 2, "[" + join(condition.items, ",") + "]");
  return message;
}

bool same(const Condition& stored, const Condition& now) {
  return stored.category == now.category && stored.reason == now.reason && stored.status == now.status &&
         stored.durable == now.durable && stored.message == rendered(now);
}

}  // namespace

std::string_view to_string(Category category) {
  switch (category) {
    case Category::kCritical: return "Critical";
    case Category::kError: return "Error";
    case Category::kWarn: return "Warn";
    case Category::kRequired: return "Required";
    case Category::kAdvisory: return "Advisory";
  }
  return "Advisory";
}

Conditions::Conditions(const Json& stored, const Clock& clock) : clock_(clock) {
  if (!stored.is_array()) return;
  for (const auto& json : stored) {
    Entry entry;
    entry.condition = {.type = string_at(json, "type"),
                       .category = parse_category(string_at(json, "category")),
                       .reason = string_at(json, "reason"),
                       .message = string_at(json, "message"),
                       .status = string_at(json, "status") == "True",
                       .durable = bool_at(json, "durable"),
                       .items = {}};
    entry.since = string_at(json, "lastTransitionTime");
    entry.staged = entry.condition.durable;
    entries_.push_back(std::move(entry));
  }
}

Conditions::Entry* Conditions::entry(std::string_view type) {
  const auto at = std::ranges::find_if(entries_, [&](const Entry& e) { return e.condition.type == type; });
  return at == entries_.end() ? nullptr : &*at;
}

const Conditions::Entry* Conditions::entry(std::string_view type) const {
  return const_cast<Conditions*>(this)->entry(type);
}

void Conditions::set(Condition condition) {
  std::ranges::sort(condition.items);
  auto* known = entry(condition.type);
  if (known != nullptr && same(known->condition, condition)) {
    known->staged = true;
    return;
  }
  if (known == nullptr) known = &entries_.emplace_back();
  condition.message = rendered(condition);
  known->condition = std::move(condition);
  known->since = rfc3339(clock_.now());
  known->staged = true;
  known->changed = true;
}

void Conditions::keep(std::initializer_list<std::string_view> types) {
  for (const auto type : types) {
    if (auto* known = entry(type)) known->staged = true;
  }
}

void Conditions::remove(std::string_view type) {
  if (auto* known = entry(type)) known->staged = false;
}

const Condition* Conditions::find(std::string_view type) const {
  const auto* known = entry(type);
  return known != nullptr && known->staged ? &known->condition : nullptr;
}

bool Conditions::has(std::string_view type) const {
  const auto* found = find(type);
  return found != nullptr && found->status;
}

bool Conditions::has_category(Category category) const {
  return std::ranges::any_of(
      entries_, [&](const Entry& e) { return e.staged && e.condition.status && e.condition.category == category; });
}

bool Conditions::blocked() const { return has_category(Category::kCritical) || has_category(Category::kError); }

void Conditions::set_ready(bool ready, std::string message) {
  if (!ready) return remove("Ready");
  set({.type = "Ready", .category = Category::kRequired, .message = std::move(message)});
}

Json Conditions::end() const {
  Json out = Json::array();
  for (const auto& [condition, since, staged, changed] : entries_) {
    if (!staged) continue;
    Json json = {{"category", to_string(condition.category)},
                 {"lastTransitionTime", since},
                 {"message", condition.message},
                 {"status", condition.status ? "True" : "False"},
                 {"type", condition.type}};
    if (!condition.reason.empty()) json["reason"] = condition.reason;
    if (condition.durable) json["durable"] = true;
    out.push_back(std::move(json));
  }
  return out;
}

std::vector<Condition> Conditions::current() const {
  std::vector<Condition> out;
  for (const auto& entry : entries_) {
    if (entry.staged) out.push_back(entry.condition);
  }
  return out;
}

std::vector<Condition> Conditions::changed() const {
  std::vector<Condition> out;
  for (const auto& entry : entries_) {
    if (entry.staged && entry.changed) out.push_back(entry.condition);
  }
  return out;
}

bool has_condition(const Json& object, std::string_view type) {
  return std::ranges::any_of(array_at(object, "status.conditions"), [&](const Json& condition) {
    return string_at(condition, "type") == type && string_at(condition, "status") == "True";
  });
}

}  // namespace mtc::api
