#include "sandbox/protobuf.hpp"

#include <algorithm>
#include <bit>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "sandbox/built_in_types.hpp"

namespace mtc::sandbox {
namespace {

constexpr std::string_view kMagic("k8s\0", 4);
constexpr int kMaxDepth = 32;

[[noreturn]] void malformed() { throw Error(Code::kInvalid, "the request body is no protobuf"); }

/// Reads one message: https://protobuf.dev/programming-guides/encoding.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool at_end() const { return bytes_.empty(); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) malformed();
      const auto byte = static_cast<unsigned char>(bytes_[0]);
      bytes_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    malformed();
  }

  std::string_view block() {
    const auto size = varint();
    if (size > bytes_.size()) malformed();
    const auto out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return out;
  }

  double fixed64() {
    if (bytes_.size() < 8) malformed();
    std::uint64_t bits = 0;
    for (unsigned i = 0; i < 8; ++i)
      bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes_[i])) << (8 * i);
    bytes_.remove_prefix(8);
    return std::bit_cast<double>(bits);
  }

  void skip(unsigned wire_type) {
    if (wire_type == 0) {
      varint();
    } else if (wire_type == 2) {
      block();
    } else {
      const std::size_t size = wire_type == 1 ? 8 : wire_type == 5 ? 4 : bytes_.size() + 1;
      if (size > bytes_.size()) malformed();
      bytes_.remove_prefix(size);
    }
  }

 private:
  std::string_view bytes_;
};

/// Calls `use(number, reader)` for each field; `use` returns false for one it does not read.
template <typename Use>
void each_field(std::string_view bytes, Use use) {
  for (Reader reader(bytes); !reader.at_end();) {
    const auto tag = reader.varint();
    if (!use(static_cast<unsigned>(tag >> 3), reader)) reader.skip(tag & 7);
  }
}

/// The one text in a message: Quantity, RawExtension and FieldsV1 are such.
std::string only_text(std::string_view bytes) {
  std::string out;
  each_field(bytes, [&](unsigned number, Reader& reader) {
    if (number == 1) out = reader.block();
    return number == 1;
  });
  return out;
}

Json read_time(std::string_view bytes) {
  std::int64_t seconds = 0;
  each_field(bytes, [&](unsigned number, Reader& reader) {
    if (number == 1) seconds = static_cast<std::int64_t>(reader.varint());
    return number == 1;
  });
  if (seconds <= 0) return nullptr;  // Go's zero time is absence
  return rfc3339(Time(std::chrono::seconds(seconds)));
}

Json read_int_or_string(std::string_view bytes) {
  bool is_text = false;
  std::int64_t number_value = 0;
  std::string text;
  each_field(bytes, [&](unsigned number, Reader& reader) {
    if (number == 1) is_text = reader.varint() == 1;
    if (number == 2) number_value = static_cast<std::int64_t>(reader.varint());
    if (number == 3) text = reader.block();
    return number >= 1 && number <= 3;
  });
  return is_text ? Json(text) : Json(number_value);
}

Json read_message(std::string_view bytes, const BuiltInType& type, int depth);

Json read_value(Reader& reader, const BuiltInField& field, int depth) {
  if (field.type != nullptr) return read_message(reader.block(), *field.type, depth + 1);
  const auto& type = field.scalar;
  if (type == "int") return static_cast<std::int64_t>(reader.varint());
  if (type == "bool") return reader.varint() != 0;
  if (type == "number") return reader.fixed64();
  const auto block = reader.block();
  if (type == "bytes") return base64_encode(block);
  if (type == "Time") return read_time(block);
  if (type == "Quantity") return only_text(block);
  if (type == "IntOrString") return read_int_or_string(block);
  if (type == "Raw") {
    const auto text = only_text(block);
    return text.empty() ? Json() : parse_json(text);
  }
  return std::string(block);
}

std::pair<std::string, Json> read_entry(std::string_view bytes, const BuiltInField& field, int depth) {
  std::pair<std::string, Json> out{"", field.scalar == "string" || field.scalar == "bytes" ? Json("") : Json()};
  each_field(bytes, [&](unsigned number, Reader& reader) {
    if (number == 1) out.first = reader.block();
    if (number == 2) out.second = read_value(reader, field, depth);
    return number == 1 || number == 2;
  });
  return out;
}

/// Go writes fields that are empty: most are absence in JSON.
bool is_absence(const BuiltInField& field, const Json& value) {
  if (field.type != nullptr) return false;
  if (field.omit_empty && (value == Json(0) || value == Json(false))) return true;
  return value.is_null() || value == Json("") || (value.is_structured() && value.empty());
}

Json read_message(std::string_view bytes, const BuiltInType& type, int depth) {
  if (depth > kMaxDepth) malformed();
  Json out = Json::object();
  each_field(bytes, [&](unsigned number, Reader& reader) {
    const auto field = std::ranges::find(type.fields, number, &BuiltInField::number);
    if (field == type.fields.end()) return false;
    if (field->shape == BuiltInField::Shape::kList) {
      out[field->name].push_back(read_value(reader, *field, depth));
    } else if (field->shape == BuiltInField::Shape::kMap) {
      auto [key, value] = read_entry(reader.block(), *field, depth);
      out[field->name][key] = std::move(value);
    } else {
      auto value = read_value(reader, *field, depth);
      if (field->inlined) {
        out.update(value);
      } else if (!is_absence(*field, value)) {
        out[field->name] = std::move(value);
      }
    }
    return true;
  });
  return out;
}

/// The strings of protobuf are UTF-8. JSON is strict about it where it is written strictly.
void check_text(const Json& object) {
  try {
    object.dump();
  } catch (const Json::exception&) {
    malformed();
  }
}

}  // namespace

bool is_protobuf(std::string_view body) { return body.starts_with(kMagic); }

std::optional<Json> from_protobuf(std::string_view body) {
  Json out = Json::object();
  std::string_view raw;
  each_field(body.substr(kMagic.size()), [&](unsigned number, Reader& reader) {
    if (number == 1) {
      each_field(reader.block(), [&](unsigned part, Reader& meta) {
        if (part == 1) out["apiVersion"] = std::string(meta.block());
        if (part == 2) out["kind"] = std::string(meta.block());
        return part == 1 || part == 2;
      });
    } else if (number == 2) {
      raw = reader.block();
    }
    return number == 1 || number == 2;
  });
  const auto* type = built_in_type(string_at(out, "kind"));
  if (type == nullptr) return std::nullopt;
  auto object = read_message(raw, *type, 0);
  object.update(out);
  check_text(object);
  return object;
}

}  // namespace mtc::sandbox
