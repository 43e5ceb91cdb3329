#include "json/json.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"

namespace mtc {
namespace {

/// The deepest nesting of brackets outside strings; stops counting past `limit`. Needs no valid JSON.
std::size_t depth_of(std::string_view text, std::size_t limit) {
  std::size_t depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size() && deepest <= limit; ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

std::pair<std::size_t, std::size_t> line_and_column(std::string_view text, std::size_t at) {
  const auto before = text.substr(0, std::min(at, text.size()));
  const auto line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
  const auto start = before.rfind('\n');
  return {line, start == std::string_view::npos ? before.size() : before.size() - start - 1};
}

const Json& empty_array() {
  static const Json value = Json::array();
  return value;
}

const Json& empty_object() {
  static const Json value = Json::object();
  return value;
}

/// Takes the first segment off a dotted path.
std::string_view next_segment(std::string_view& path) {
  const auto dot = path.find('.');
  const auto segment = path.substr(0, dot);
  path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  return segment;
}

}  // namespace

Json parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.max_bytes) {
    throw Error(Code::kCorrupt, fmt::format("JSON text is longer than {} bytes", limits.max_bytes));
  }
  if (depth_of(text, limits.max_depth) > limits.max_depth) {
    throw Error(Code::kCorrupt, fmt::format("JSON is nested deeper than {} levels", limits.max_depth));
  }
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& failure) {
    const auto [line, column] = line_and_column(text, failure.byte == 0 ? 0 : failure.byte - 1);
    std::string_view why = failure.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …": the tail is for people.
    if (const auto at = why.find(": "); at != std::string_view::npos) why.remove_prefix(at + 2);
    throw Error(Code::kCorrupt, fmt::format("not JSON (line {}, column {}): {}", line, column + 1, why));
  } catch (const Json::exception& failure) {
    throw Error(Code::kCorrupt, fmt::format("not JSON: {}", failure.what()));
  }
}

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }
std::string dump_pretty(const Json& value) { return value.dump(2, ' ', false, Json::error_handler_t::replace); }

std::string dump_go(const Json& value) {
  const auto text = dump(value);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = std::string_view(text).substr(i);
    if (text[i] == '<') {
      out += "\\u003c";
    } else if (text[i] == '>') {
      out += "\\u003e";
    } else if (text[i] == '&') {
      out += "\\u0026";
    } else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
      out += rest[2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

const Json* member(const Json& value, std::string_view key) {
  if (!value.is_object()) return nullptr;
  const auto at = value.find(key);
  return at == value.end() ? nullptr : &*at;
}

const Json* find(const Json& value, std::string_view path) {
  const Json* at = &value;
  while (at != nullptr && !path.empty()) at = member(*at, next_segment(path));
  return at;
}

std::string string_at(const Json& value, std::string_view path) {
  const auto* at = find(value, path);
  return at != nullptr && at->is_string() ? at->get<std::string>() : "";
}

std::optional<std::int64_t> int_at(const Json& value, std::string_view path) {
  const auto* at = find(value, path);
  if (at == nullptr || !at->is_number_integer()) return std::nullopt;
  return at->get<std::int64_t>();
}

bool bool_at(const Json& value, std::string_view path, bool fallback) {
  const auto* at = find(value, path);
  return at != nullptr && at->is_boolean() ? at->get<bool>() : fallback;
}

const Json& array_at(const Json& value, std::string_view path) {
  const auto* at = find(value, path);
  return at != nullptr && at->is_array() ? *at : empty_array();
}

const Json& object_at(const Json& value, std::string_view path) {
  const auto* at = find(value, path);
  return at != nullptr && at->is_object() ? *at : empty_object();
}

std::vector<std::string> strings_at(const Json& value, std::string_view path) {
  std::vector<std::string> out;
  for (const auto& element : array_at(value, path)) {
    if (element.is_string()) out.push_back(element.get<std::string>());
  }
  return out;
}

void set_at(Json& value, std::string_view path, Json leaf) {
  Json* at = &value;
  while (!path.empty()) {
    if (!at->is_object()) *at = Json::object();
    at = &(*at)[std::string(next_segment(path))];
  }
  *at = std::move(leaf);
}

void erase_at(Json& value, std::string_view path) {
  Json* at = &value;
  for (;;) {
    const auto segment = next_segment(path);
    if (!at->is_object()) return;
    const auto child = at->find(segment);
    if (child == at->end()) return;
    if (path.empty()) {
      at->erase(child);
      return;
    }
    at = &*child;
  }
}

}  // namespace mtc
