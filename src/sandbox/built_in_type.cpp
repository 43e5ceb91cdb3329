#include <algorithm>
#include <cmath>
#include <deque>
#include <map>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "sandbox/built_in_types.hpp"
#include "sandbox/failure.hpp"

namespace mtc::sandbox {
namespace {

/// The types of the table, by name; addresses stay.
class Types {
 public:
  Types() {
    const auto lines = split(kBuiltInTypes, '\n');
    for (const auto& line : lines) {
      if (line.empty()) continue;
      auto head = line.substr(0, line.find(':'));
      const bool atomic = head.ends_with(" atomic");
      if (atomic) head.resize(head.size() - std::string_view(" atomic").size());
      auto& type = types_.emplace_back(BuiltInType{head, atomic, {}});
      by_name_[head] = &type;
      all_.push_back(&type);
    }
    auto at = types_.begin();
    for (const auto& line : lines) {
      if (line.empty()) continue;
      for (const auto& text : split(line.substr(line.find(':') + 1), ';')) at->fields.push_back(parse(trim(text)));
      ++at;
    }
  }

  const BuiltInType* find(std::string_view name) const {
    const auto known = by_name_.find(name);
    return known == by_name_.end() ? nullptr : known->second;
  }
  const std::vector<const BuiltInType*>& all() const { return all_; }

 private:
  /// "2 containers [Container] map=name merge=name"
  BuiltInField parse(std::string_view text) const {
    const auto words = split(text, ' ');
    BuiltInField out;
    out.number = static_cast<unsigned>(std::stoul(words.at(0)));
    out.name = words.at(1);
    auto type = words.at(2);
    if (type.front() == '[' || type.front() == '{') {
      out.shape = type.front() == '[' ? BuiltInField::Shape::kList : BuiltInField::Shape::kMap;
      type = type.substr(1, type.size() - 2);
    }
    out.type = find(type);
    if (out.type == nullptr) out.scalar = type;
    for (std::size_t i = 3; i < words.size(); ++i) {
      const auto& marker = words[i];
      if (marker.starts_with("map=")) out.keys = split(marker.substr(4), ',');
      if (marker.starts_with("merge=")) out.merge_key = marker.substr(6);
      out.set = out.set || marker == "set";
      out.atomic = out.atomic || marker == "atomic";
      out.retain_keys = out.retain_keys || marker == "retainKeys";
      out.omit_empty = out.omit_empty || marker == "omitempty";
      out.inlined = out.inlined || marker == "inline";
    }
    return out;
  }

  std::deque<BuiltInType> types_;
  std::map<std::string, const BuiltInType*, std::less<>> by_name_;
  std::vector<const BuiltInType*> all_;
};

const Types& types() {
  static const Types all;
  return all;
}

[[noreturn]] void throw_wrong_type(const std::string& path, const Json& value, const std::string& wanted) {
  throw Failure(
      400, "BadRequest",
      fmt::format("json: cannot unmarshal {} into Go struct field .{} of type {}", value.type_name(), path, wanted));
}

/// A scalar in the form the server keeps it.
void decode_scalar(const std::string& type, Json& value, const std::string& path) {
  const bool whole =
      value.is_number_integer() || (value.is_number_float() && value.get<double>() == std::floor(value.get<double>()));
  if (type == "int") {
    if (!whole) throw_wrong_type(path, value, "int64");
    if (value.is_number_float()) value = static_cast<std::int64_t>(value.get<double>());
  } else if (type == "number") {
    if (!value.is_number()) throw_wrong_type(path, value, "float64");
  } else if (type == "bool") {
    if (!value.is_boolean()) throw_wrong_type(path, value, "bool");
  } else if (type == "Quantity") {
    if (value.is_number()) value = dump(value);
    if (!value.is_string()) throw_wrong_type(path, value, "resource.Quantity");
  } else if (type == "IntOrString") {
    if (!value.is_string() && !value.is_number_integer()) throw_wrong_type(path, value, "intstr.IntOrString");
  } else if (type != "Raw" && !value.is_string()) {
    throw_wrong_type(path, value, "string");
  } else if (type == "Time" && !parse_rfc3339(value.get_ref<const std::string&>())) {
    throw Failure(400, "BadRequest", fmt::format("{}: {} is no RFC 3339 time", path, dump(value)));
  } else if (type == "bytes" && !base64_decode(value.get_ref<const std::string&>())) {
    throw Failure(400, "BadRequest", fmt::format("{}: illegal base64 data", path));
  }
}

void decode_fields(const BuiltInType& type, Json& object, const std::string& path, std::vector<std::string>& unknown);

void decode_value(const BuiltInField& field, Json& value, const std::string& path, std::vector<std::string>& unknown) {
  if (field.type == nullptr) return decode_scalar(field.scalar, value, path);
  if (!value.is_object()) throw_wrong_type(path, value, field.type->name);
  decode_fields(*field.type, value, path, unknown);
}

void decode_field(const BuiltInField& field, Json& value, const std::string& path, std::vector<std::string>& unknown) {
  if (field.shape == BuiltInField::Shape::kOne) return decode_value(field, value, path, unknown);
  const bool is_list = field.shape == BuiltInField::Shape::kList;
  if (is_list ? !value.is_array() : !value.is_object()) throw_wrong_type(path, value, is_list ? "slice" : "map");
  std::size_t index = 0;
  for (auto& [key, element] : value.items()) {
    const auto below = is_list ? fmt::format("{}[{}]", path, index++) : fmt::format("{}.{}", path, key);
    if (element.is_null() && (field.scalar == "string" || field.scalar == "bytes")) element = "";  // as Go reads it
    decode_value(field, element, below, unknown);
  }
}

void decode_fields(const BuiltInType& type, Json& object, const std::string& path, std::vector<std::string>& unknown) {
  for (auto at = object.begin(); at != object.end();) {
    const auto below = path.empty() ? at.key() : path + "." + at.key();
    const auto* field = type.field(at.key());
    const bool is_type = path.empty() && (at.key() == "apiVersion" || at.key() == "kind");
    if (field == nullptr && !is_type) unknown.push_back(below);
    if (at->is_null() || (field == nullptr && !is_type)) {
      at = object.erase(at);
      continue;
    }
    if (field != nullptr) decode_field(*field, at.value(), below, unknown);
    ++at;
  }
}

}  // namespace

const BuiltInField* BuiltInType::field(std::string_view field_name) const {
  for (const auto& one : fields) {
    if (one.inlined) {
      if (const auto* within = one.type->field(field_name)) return within;
    } else if (one.name == field_name) {
      return &one;
    }
  }
  return nullptr;
}

const BuiltInType* built_in_type(std::string_view name) { return types().find(name); }
const std::vector<const BuiltInType*>& built_in_types() { return types().all(); }

std::vector<std::string> decode(const BuiltInType& type, Json& object) {
  std::vector<std::string> unknown;
  decode_fields(type, object, "", unknown);
  return unknown;
}

}  // namespace mtc::sandbox
