#include "json/selector.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"

namespace mtc {
namespace {

using Op = Selector::Op;
using Requirement = Selector::Requirement;

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw Error(Code::kInvalid, fmt::format("selector \"{}\": {}", text, why));
}

void check_key(std::string_view key, std::string_view whole) {
  const bool good = !key.empty() && key.size() <= 317 && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./").contains(c);
  });
  if (!good) refuse(whole, fmt::format("\"{}\" is no label key", key));
}

/// Label values have no other characters, and a comma or a parenthesis in one would change what the selector's text
/// means.
void check_values(const std::vector<Requirement>& requirements, std::string_view whole) {
  for (const auto& requirement : requirements) {
    for (const auto& value : requirement.values) {
      const bool good = value.size() <= 63 && std::ranges::all_of(value, [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                 std::string_view("-_.").contains(c);
                        });
      if (!good) refuse(whole, fmt::format("\"{}\" is no label value", value));
    }
  }
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// Splits at commas that stand outside parentheses.
std::vector<std::string> clauses_of(std::string_view text) {
  std::vector<std::string> out;
  int depth = 0;
  std::string clause;
  for (const char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      out.emplace_back(trim(clause));
      clause.clear();
    } else {
      clause += c;
    }
  }
  out.emplace_back(trim(clause));
  return out;
}

/// "key in (a,b)" and "key notin (a,b)".
bool parse_set(std::string_view clause, std::string_view whole, std::vector<Requirement>& out) {
  const auto open = clause.find('(');
  if (open == std::string_view::npos) return false;
  if (!clause.ends_with(')')) refuse(whole, "a closing parenthesis is missing");
  const auto head = trim(clause.substr(0, open));
  const bool negated = head.ends_with(" notin");
  if (!negated && !head.ends_with(" in")) refuse(whole, "expected \"in\" or \"notin\" before the parenthesis");
  Requirement requirement{
      std::string(trim(head.substr(0, head.size() - (negated ? 6 : 3)))), negated ? Op::kNotIn : Op::kIn, {}};
  check_key(requirement.key, whole);
  const auto list = clause.substr(open + 1, clause.size() - open - 2);
  for (const auto& value : split(list, ',')) requirement.values.emplace_back(trim(value));
  if (requirement.values.empty()) requirement.values.emplace_back();  // "()" is the set of the empty value.
  out.push_back(std::move(requirement));
  return true;
}

Requirement parse_clause(std::string_view clause, std::string_view whole) {
  // The first operator counts; a value with another one would change what the selector's text means.
  auto first = std::string_view::npos;
  std::pair<std::string_view, Op> found;
  for (const auto& known : {std::pair<std::string_view, Op>{"!=", Op::kNotIn},
                            {"==", Op::kIn},
                            {"=", Op::kIn},
                            {">", Op::kGreater},
                            {"<", Op::kLess}}) {
    const auto at = clause.find(known.first);
    if (at >= first) continue;
    first = at;
    found = known;
  }
  if (first != std::string_view::npos) {
    const auto key = trim(clause.substr(0, first));
    check_key(key, whole);
    const auto value = trim(clause.substr(first + found.first.size()));
    if (value.find_first_of("=!<>") != std::string_view::npos) refuse(whole, "a value with an operator in it");
    return {std::string(key), found.second, {std::string(value)}};
  }
  const bool negated = clause.starts_with('!');
  const auto key = trim(negated ? clause.substr(1) : clause);
  check_key(key, whole);
  return {std::string(key), negated ? Op::kDoesNotExist : Op::kExists, {}};
}

/// Labels that are compared as numbers, and are no such thing, match nothing.
bool compares(const Requirement& requirement, const std::string* value) {
  const auto have = value != nullptr ? number_of(*value) : std::nullopt;
  const auto limit = number_of(requirement.values.front());
  if (!have || !limit) return false;
  return requirement.op == Op::kGreater ? *have > *limit : *have < *limit;
}

bool satisfied(const Requirement& requirement, const std::string* value) {
  switch (requirement.op) {
    case Op::kExists: return value != nullptr;
    case Op::kDoesNotExist: return value == nullptr;
    case Op::kIn: return value != nullptr && std::ranges::find(requirement.values, *value) != requirement.values.end();
    case Op::kNotIn:
      return value == nullptr || std::ranges::find(requirement.values, *value) == requirement.values.end();
    case Op::kGreater:
    case Op::kLess: return compares(requirement, value);
  }
  return false;
}

}  // namespace

Selector Selector::parse(std::string_view text) {
  Selector selector;
  if (trim(text).empty()) return selector;
  for (const auto& clause : clauses_of(text)) {
    if (parse_set(clause, text, selector.requirements_)) continue;
    auto requirement = parse_clause(clause, text);
    const bool compared = requirement.op == Op::kGreater || requirement.op == Op::kLess;
    if (compared && !number_of(requirement.values.front())) refuse(text, "> and < compare whole numbers");
    selector.requirements_.push_back(std::move(requirement));
  }
  check_values(selector.requirements_, text);
  return selector;
}

Selector Selector::parse_fields(std::string_view text) {
  Selector selector;
  for (const auto& clause : split(text, ',')) {
    if (!clause.contains('=')) refuse(text, "a field selector is key=value or key!=value");
    selector.requirements_.push_back(parse_clause(clause, text));
  }
  return selector;
}

Selector Selector::from_json(const Json& label_selector) {
  Selector selector;
  const auto whole = dump(label_selector);
  for (const auto& [key, value] : object_at(label_selector, "matchLabels").items()) {
    if (!value.is_string()) refuse(whole, "matchLabels values are strings");
    check_key(key, whole);
    selector.requirements_.push_back({key, Op::kIn, {value.get<std::string>()}});
  }
  for (const auto& expression : array_at(label_selector, "matchExpressions")) {
    const auto op = string_at(expression, "operator");
    Requirement requirement{string_at(expression, "key"), Op::kExists, strings_at(expression, "values")};
    if (op == "In") {
      requirement.op = Op::kIn;
    } else if (op == "NotIn") {
      requirement.op = Op::kNotIn;
    } else if (op == "DoesNotExist") {
      requirement.op = Op::kDoesNotExist;
    } else if (op != "Exists") {
      refuse(whole, fmt::format("unknown operator \"{}\"", op));
    }
    check_key(requirement.key, whole);
    const bool set = requirement.op == Op::kIn || requirement.op == Op::kNotIn;
    if (set == requirement.values.empty())
      refuse(whole, fmt::format("operator {} {} values", op, set ? "needs" : "takes no"));
    selector.requirements_.push_back(std::move(requirement));
  }
  check_values(selector.requirements_, whole);
  return selector;
}

bool Selector::matches(const Json& labels) const {
  return std::ranges::all_of(requirements_, [&](const Requirement& requirement) {
    const auto* value = member(labels, requirement.key);
    return satisfied(requirement,
                     value != nullptr && value->is_string() ? value->get_ptr<const std::string*>() : nullptr);
  });
}

bool Selector::matches(const std::map<std::string, std::string>& values) const {
  return std::ranges::all_of(requirements_, [&](const Requirement& requirement) {
    const auto at = values.find(requirement.key);
    return satisfied(requirement, at == values.end() ? nullptr : &at->second);
  });
}

std::string Selector::str() const {
  std::vector<std::string> clauses;
  for (const auto& [key, op, values] : requirements_) {
    switch (op) {
      case Op::kExists: clauses.push_back(key); break;
      case Op::kDoesNotExist: clauses.push_back("!" + key); break;
      case Op::kIn:
        clauses.push_back(values.size() == 1 ? key + "=" + values[0]
                                             : fmt::format("{} in ({})", key, join(values, ",")));
        break;
      case Op::kNotIn:
        clauses.push_back(values.size() == 1 ? key + "!=" + values[0]
                                             : fmt::format("{} notin ({})", key, join(values, ",")));
        break;
      case Op::kGreater: clauses.push_back(key + ">" + values[0]); break;
      case Op::kLess: clauses.push_back(key + "<" + values[0]); break;
    }
  }
  return join(clauses, ",");
}

}  // namespace mtc
