#include "json/jsonpath.hpp"

#include <charconv>
#include <limits>
#include <unordered_set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"

namespace mtc {

class JsonPath::Parser {
 public:
  explicit Parser(std::string_view text) : whole_(text), text_(trim(text)) {
    if (text_.starts_with('{') && text_.ends_with('}')) text_ = text_.substr(1, text_.size() - 2);
    if (text_.starts_with('$')) text_.remove_prefix(1);
  }

  std::vector<Step> parse() {
    std::vector<Step> steps;
    while (!text_.empty()) {
      if (text_.starts_with("..")) {
        text_.remove_prefix(2);
        steps.push_back({.kind = Step::Kind::kRecursive, .name = name()});
      } else if (text_.starts_with('[')) {
        steps.push_back(bracket());
      } else {
        if (text_.starts_with('.')) text_.remove_prefix(1);
        if (text_.empty() || text_.starts_with('[')) continue;
        const auto field = name();
        steps.push_back({.kind = field == "*" ? Step::Kind::kWildcard : Step::Kind::kField, .name = field});
      }
    }
    return steps;
  }

 private:
  [[noreturn]] void refuse(std::string_view why) const {
    throw Error(Code::kInvalid, fmt::format("JSONPath \"{}\": {}", whole_, why));
  }

  /// A field name; "\." is a dot inside it, as kubectl writes annotation keys.
  std::string name() {
    std::string out;
    while (!text_.empty() && text_[0] != '.' && text_[0] != '[') {
      if (text_[0] == '\\' && text_.size() > 1) text_.remove_prefix(1);
      out += text_[0];
      text_.remove_prefix(1);
    }
    if (out.empty()) refuse("a field name is missing");
    return out;
  }

  Step bracket() {
    const auto end = closing();
    const auto inner = trim(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    if (inner == "*") return {.kind = Step::Kind::kWildcard};
    if (inner.starts_with('\'') || inner.starts_with('"'))
      return {.kind = Step::Kind::kField, .name = std::string(unquote(inner))};
    if (inner.starts_with("?(") && inner.ends_with(')')) return filter(trim(inner.substr(2, inner.size() - 3)));
    return slice(inner);
  }

  std::size_t closing() const {
    char quote = 0;
    for (std::size_t i = 1; i < text_.size(); ++i) {
      if (quote != 0) {
        if (text_[i] == quote) quote = 0;
      } else if (text_[i] == '\'' || text_[i] == '"') {
        quote = text_[i];
      } else if (text_[i] == ']') {
        return i;
      }
    }
    refuse("a ] is missing");
  }

  std::string_view unquote(std::string_view text) const {
    if (text.size() < 2 || text.front() != text.back()) refuse("a quote is missing");
    return text.substr(1, text.size() - 2);
  }

  std::optional<long> number(std::string_view text) const {
    if (text.empty()) return std::nullopt;
    long value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size()) refuse(fmt::format("\"{}\" is no index", text));
    return value;
  }

  Step slice(std::string_view text) const {
    const auto colon = text.find(':');
    if (colon != std::string_view::npos) {
      return {.kind = Step::Kind::kSlice, .from = number(text.substr(0, colon)), .to = number(text.substr(colon + 1))};
    }
    const auto index = number(text);
    if (!index) refuse("an index is missing");
    Step step{.kind = Step::Kind::kSlice, .from = index};
    if (*index == std::numeric_limits<long>::max()) refuse("its index is out of range");
    if (*index != -1) step.to = *index + 1;
    return step;
  }

  Json constant(std::string_view text) const {
    try {
      return parse_json(text);
    } catch (const Error&) {
      refuse(fmt::format("\"{}\" is no value to compare with", text));
    }
  }

  Step filter(std::string_view text) const {
    Step step{.kind = Step::Kind::kFilter};
    auto left = text;
    for (const auto* op : {"==", "!=", "<=", ">=", "<", ">"}) {
      const auto at = text.find(op);
      if (at == std::string_view::npos) continue;
      step.op = op;
      left = trim(text.substr(0, at));
      const auto right = trim(text.substr(at + step.op.size()));
      const bool quoted = right.starts_with('\'') || right.starts_with('"');
      step.right = quoted ? Json(unquote(right)) : constant(right);
      break;
    }
    if (!left.starts_with('@')) refuse("a filter compares a field of @");
    left.remove_prefix(1);
    if (left.starts_with('.')) left.remove_prefix(1);
    step.left = split(left, '.');
    return step;
  }

  std::string_view whole_;
  std::string_view text_;
};

namespace {

template <typename T>
bool compare(const T& a, const std::string& op, const T& b) {
  if (op == "==") return a == b;
  if (op == "!=") return a != b;
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  if (op == ">") return a > b;
  return a >= b;
}

void collect_named(const Json& value, const std::string& name, std::vector<const Json*>& out) {
  if (const auto* found = member(value, name)) out.push_back(found);
  if (!value.is_structured()) return;
  for (const auto& child : value) collect_named(child, name, out);
}

/// "..a..a" reaches a value on many ways: one that is there once is found once, however long the path is.
void drop_repeated(std::vector<const Json*>& found) {
  std::unordered_set<const Json*> seen;
  std::erase_if(found, [&](const Json* value) { return !seen.insert(value).second; });
}

}  // namespace

JsonPath::JsonPath(std::string_view path) : steps_(Parser(path).parse()) {}

void JsonPath::apply(const Step& step, const Json& value, std::vector<const Json*>& out) {
  switch (step.kind) {
    case Step::Kind::kField:
      if (const auto* found = member(value, step.name)) out.push_back(found);
      return;
    case Step::Kind::kWildcard:
      if (!value.is_structured()) return;
      for (const auto& child : value) out.push_back(&child);
      return;
    case Step::Kind::kRecursive: collect_named(value, step.name, out); return;
    case Step::Kind::kSlice: {
      if (!value.is_array()) return;
      const auto size = static_cast<long>(value.size());
      const auto absolute = [size](long index) { return index < 0 ? index + size : index; };
      const auto from = std::max(0L, absolute(step.from.value_or(0)));
      const auto to = std::min(size, absolute(step.to.value_or(size)));
      for (auto i = from; i < to; ++i) out.push_back(&value[static_cast<std::size_t>(i)]);
      return;
    }
    case Step::Kind::kFilter:
      if (!value.is_array()) return;
      for (const auto& element : value) {
        const Json* left = &element;
        for (const auto& field : step.left) left = left == nullptr ? nullptr : member(*left, field);
        if (left == nullptr) continue;
        if (step.op.empty() || (left->type() == step.right.type() && compare(*left, step.op, step.right)))
          out.push_back(&element);
      }
      return;
  }
}

std::vector<const Json*> JsonPath::find(const Json& value) const {
  std::vector<const Json*> found{&value};
  for (const auto& step : steps_) {
    std::vector<const Json*> next;
    for (const auto* at : found) apply(step, *at, next);
    if (step.kind == Step::Kind::kRecursive) drop_repeated(next);
    found = std::move(next);
  }
  return found;
}

}  // namespace mtc
