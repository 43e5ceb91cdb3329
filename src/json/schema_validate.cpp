#include <algorithm>
#include <cmath>
#include <re2/re2.h>
#include <set>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "json/schema.hpp"

namespace mtc {
namespace {

std::string type_name(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::boolean: return "boolean";
    case Json::value_t::string: return "string";
    case Json::value_t::array: return "array";
    case Json::value_t::object: return "object";
    case Json::value_t::number_float: return "number";
    default: return "integer";
  }
}

bool has_type(const Json& value, const std::string& type) {
  if (type == "number") return value.is_number();
  if (type == "integer") {
    return value.is_number_integer() ||
           (value.is_number_float() && value.get<double>() == std::floor(value.get<double>()));
  }
  return type_name(value) == type;
}

/// Characters, not bytes: UTF-8 continuation bytes do not count.
std::size_t length_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class Validator {
 public:
  void check(const Json& schema, const Json& value, const std::string& path) {
    if (value.is_null() && bool_at(schema, "nullable")) return;
    if (!check_type(schema, value, path)) return;
    check_enum(schema, value, path);
    if (value.is_string()) check_string(schema, value.get_ref<const std::string&>(), path);
    if (value.is_number()) check_number(schema, value, path);
    if (value.is_array()) check_array(schema, value, path);
    if (value.is_object()) check_object(schema, value, path);
    check_combinations(schema, value, path);
  }

  std::vector<SchemaViolation> take() { return std::move(violations_); }

 private:
  void complain(const std::string& path, std::string_view reason, std::string message) {
    violations_.push_back({path.empty() ? "<nil>" : path, std::string(reason), std::move(message)});
  }

  void invalid(const std::string& path, const Json& value, const std::string& what) {
    complain(path, "FieldValueInvalid", fmt::format("Invalid value: {}: {} in body {}", shown(value), path, what));
  }

  static std::string shown(const Json& value) {
    return value.is_structured() ? fmt::format("\"{}\"", type_name(value)) : dump(value);
  }

  bool check_type(const Json& schema, const Json& value, const std::string& path) {
    if (bool_at(schema, "x-kubernetes-int-or-string")) {
      if (value.is_string() || value.is_number_integer()) return true;
      complain(path, "FieldValueTypeInvalid",
               fmt::format("Invalid value: \"{0}\": {1} in body must be of type integer,string: \"{0}\"",
                           type_name(value), path));
      return false;
    }
    const auto type = string_at(schema, "type");
    if (type.empty() || has_type(value, type)) return true;
    complain(
        path, "FieldValueTypeInvalid",
        fmt::format("Invalid value: \"{0}\": {1} in body must be of type {2}: \"{0}\"", type_name(value), path, type));
    return false;
  }

  void check_enum(const Json& schema, const Json& value, const std::string& path) {
    const auto& allowed = array_at(schema, "enum");
    if (allowed.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
    std::vector<std::string> names;
    for (const auto& one : allowed) names.push_back(dump(one));
    complain(path, "FieldValueNotSupported",
             fmt::format("Unsupported value: {}: supported values: {}", dump(value), join(names, ", ")));
  }

  void check_string(const Json& schema, const std::string& text, const std::string& path) {
    if (const auto most = int_at(schema, "maxLength"); most && length_of(text) > static_cast<std::size_t>(*most)) {
      complain(path, "FieldValueTooLong", fmt::format("Too long: may not be more than {} bytes", *most));
    }
    if (const auto least = int_at(schema, "minLength"); least && length_of(text) < static_cast<std::size_t>(*least)) {
      invalid(path, text, fmt::format("should be at least {} chars long", *least));
    }
    if (const auto pattern = string_at(schema, "pattern"); !pattern.empty()) {
      RE2::Options quiet;
      quiet.set_log_errors(false);
      const RE2 expression(pattern, quiet);
      if (expression.ok() && !RE2::PartialMatch(text, expression))
        invalid(path, text, fmt::format("should match '{}'", pattern));
    }
    const auto format = string_at(schema, "format");
    const bool well_formed = format == "date-time" ? parse_rfc3339(text).has_value()
                             : format == "byte"    ? base64_decode(text).has_value()
                                                   : true;
    if (!well_formed) invalid(path, text, fmt::format("must be of type {}: {}", format, dump(Json(text))));
  }

  void check_number(const Json& schema, const Json& value, const std::string& path) {
    const auto number = value.get<double>();
    const auto limit = [&](const char* key) -> std::optional<double> {
      const auto* at = member(schema, key);
      return at != nullptr && at->is_number() ? std::optional(at->get<double>()) : std::nullopt;
    };
    if (const auto least = limit("minimum");
        least && (number < *least || (bool_at(schema, "exclusiveMinimum") && number == *least))) {
      invalid(path, value,
              fmt::format("should be greater than{} {}", bool_at(schema, "exclusiveMinimum") ? "" : " or equal to",
                          *least));
    }
    if (const auto most = limit("maximum");
        most && (number > *most || (bool_at(schema, "exclusiveMaximum") && number == *most))) {
      invalid(
          path, value,
          fmt::format("should be less than{} {}", bool_at(schema, "exclusiveMaximum") ? "" : " or equal to", *most));
    }
    if (const auto step = limit("multipleOf"); step && std::fmod(number, *step) != 0) {
      invalid(path, value, fmt::format("should be a multiple of {}", *step));
    }
  }

  void check_array(const Json& schema, const Json& value, const std::string& path) {
    if (const auto most = int_at(schema, "maxItems"); most && value.size() > static_cast<std::size_t>(*most)) {
      complain(path, "FieldValueTooMany", fmt::format("Too many: {}: must have at most {} items", value.size(), *most));
    }
    if (const auto least = int_at(schema, "minItems"); least && value.size() < static_cast<std::size_t>(*least)) {
      invalid(path, value, fmt::format("should have at least {} items", *least));
    }
    if (const auto* items = member(schema, "items"); items != nullptr && items->is_object()) {
      for (std::size_t i = 0; i < value.size(); ++i) check(*items, value[i], fmt::format("{}[{}]", path, i));
    }
    check_list_type(schema, value, path);
  }

  void check_list_type(const Json& schema, const Json& value, const std::string& path) {
    const auto type = string_at(schema, "x-kubernetes-list-type");
    if (type != "map" && type != "set" && !bool_at(schema, "uniqueItems")) return;
    const auto keys = strings_at(schema, "x-kubernetes-list-map-keys");
    std::set<std::string> seen;
    for (std::size_t i = 0; i < value.size(); ++i) {
      Json identity = value[i];
      if (type == "map") {
        identity = Json::object();
        for (const auto& key : keys) {
          if (const auto* part = member(value[i], key)) identity[key] = *part;
        }
      }
      if (!seen.insert(dump(identity)).second) {
        complain(fmt::format("{}[{}]", path, i), "FieldValueDuplicate",
                 fmt::format("Duplicate value: {}", dump(identity)));
      }
    }
  }

  void check_object(const Json& schema, const Json& value, const std::string& path) {
    if (bool_at(schema, "x-kubernetes-embedded-resource")) {
      for (const auto* name : {"apiVersion", "kind"}) {
        if (string_at(value, name).empty())
          complain(below(path, name), "FieldValueRequired", "Required value: must not be empty");
      }
    }
    for (const auto& name : strings_at(schema, "required")) {
      if (!value.contains(name)) complain(below(path, name), "FieldValueRequired", "Required value");
    }
    if (const auto most = int_at(schema, "maxProperties"); most && value.size() > static_cast<std::size_t>(*most)) {
      complain(path, "FieldValueTooMany", fmt::format("Too many: {}: must have at most {} items", value.size(), *most));
    }
    if (const auto least = int_at(schema, "minProperties"); least && value.size() < static_cast<std::size_t>(*least)) {
      invalid(path, value, fmt::format("should have at least {} properties", *least));
    }
    const auto& properties = object_at(schema, "properties");
    const auto* additional = member(schema, "additionalProperties");
    for (const auto& [name, child] : value.items()) {
      if (const auto* known = member(properties, name)) {
        check(*known, child, below(path, name));
      } else if (additional != nullptr && additional->is_object()) {
        check(*additional, child, below(path, name));
      }
    }
  }

  bool valid(const Json& schema, const Json& value, const std::string& path) {
    Validator other;
    other.check(schema, value, path);
    return other.violations_.empty();
  }

  void check_combinations(const Json& schema, const Json& value, const std::string& path) {
    for (const auto& part : array_at(schema, "allOf")) check(part, value, path);
    const auto count = [&](const char* key) {
      const auto& parts = array_at(schema, key);
      return std::pair(parts.size(),
                       std::ranges::count_if(parts, [&](const Json& part) { return valid(part, value, path); }));
    };
    if (const auto [size, good] = count("anyOf"); size > 0 && good == 0)
      invalid(path, value, "must validate at least one schema (anyOf)");
    if (const auto [size, good] = count("oneOf"); size > 0 && good != 1)
      invalid(path, value, "must validate one and only one schema (oneOf)");
    if (const auto* forbidden = member(schema, "not"); forbidden != nullptr && valid(*forbidden, value, path)) {
      invalid(path, value, "must not validate the schema (not)");
    }
  }

  static std::string below(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
  }

  std::vector<SchemaViolation> violations_;
};

}  // namespace

std::vector<SchemaViolation> validate_schema(const Json& schema, const Json& value) {
  Validator validator;
  validator.check(schema, value, "");
  return validator.take();
}

}  // namespace mtc
