#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "json/json.hpp"

namespace mtc::api {

/// How much a condition matters (spec conditions.md §1.1). Critical and Error keep an object from being Ready.
enum class Category { kCritical, kError, kWarn, kRequired, kAdvisory };
std::string_view to_string(Category category);

struct Condition {
  std::string type;
  Category category = Category::kAdvisory;
  std::string reason;
  std::string message;  ///< "[]" in it is replaced by the items
  bool status = true;
  bool durable = false;  ///< survives passes that do not set it again
  std::vector<std::string> items;
};

/// The conditions of one object over one pass: begin() with what is stored, set() what holds now, end() drops what was
/// not set again and is not durable. Equal conditions keep their lastTransitionTime, so a pass that finds nothing new
/// changes nothing.
class Conditions {
 public:
  /// `stored` is status.conditions as read.
  Conditions(const Json& stored, const Clock& clock);

  void set(Condition condition);
  /// Keeps stored conditions as they are, without looking at them again.
  void keep(std::initializer_list<std::string_view> types);
  void remove(std::string_view type);
  /// Present with status True, and set or kept in this pass (durable ones are kept from the start).
  bool has(std::string_view type) const;
  const Condition* find(std::string_view type) const;
  bool has_category(Category category) const;
  /// A Critical or Error condition holds.
  bool blocked() const;
  void set_ready(bool ready, std::string message);

  /// status.conditions to be stored, in order of first appearance.
  Json end() const;
  /// What a pass set or kept, for events.
  std::vector<Condition> current() const;
  /// Those that were not stored, or differently, before this pass.
  std::vector<Condition> changed() const;

 private:
  struct Entry {
    Condition condition;
    std::string since;    ///< lastTransitionTime
    bool staged = false;  ///< holds in this pass
    bool changed = false;
  };
  Entry* entry(std::string_view type);
  const Entry* entry(std::string_view type) const;

  const Clock& clock_;
  std::vector<Entry> entries_;
};

/// True if status.conditions of `object` holds `type` with status True.
bool has_condition(const Json& object, std::string_view type);

}  // namespace mtc::api
