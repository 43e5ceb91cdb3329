#include "sandbox/protobuf.hpp"

#include <algorithm>
#include <map>
#include <span>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace mtc::sandbox {
namespace {

constexpr std::string_view kMagic("k8s\0", 4);
constexpr int kMaxDepth = 16;

enum class Type { kString, kBytes, kInteger, kBoolean, kMessage, kStringMap, kBytesMap, kStrings };

struct Field {
  unsigned number;
  std::string_view name;
  Type type = Type::kString;
  std::span<const Field> fields{};
};

constexpr Field kTypeMeta[] = {{1, "apiVersion"}, {2, "kind"}};
constexpr Field kObjectMeta[] = {{1, "name"},
                                 {2, "generateName"},
                                 {3, "namespace"},
                                 {5, "uid"},
                                 {6, "resourceVersion"},
                                 {11, "labels", Type::kStringMap},
                                 {12, "annotations", Type::kStringMap},
                                 {14, "finalizers", Type::kStrings}};
constexpr Field kNamespace[] = {{1, "metadata", Type::kMessage, kObjectMeta}};
constexpr Field kConfigMap[] = {{1, "metadata", Type::kMessage, kObjectMeta},
                                {2, "data", Type::kStringMap},
                                {3, "binaryData", Type::kBytesMap},
                                {4, "immutable", Type::kBoolean}};
constexpr Field kSecret[] = {{1, "metadata", Type::kMessage, kObjectMeta},
                             {2, "data", Type::kBytesMap},
                             {3, "type"},
                             {4, "stringData", Type::kStringMap},
                             {5, "immutable", Type::kBoolean}};
constexpr Field kServiceAccount[] = {{1, "metadata", Type::kMessage, kObjectMeta}};
constexpr Field kResourceAttributes[] = {{1, "namespace"}, {2, "verb"},        {3, "group"}, {4, "version"},
                                         {5, "resource"},  {6, "subresource"}, {7, "name"}};
constexpr Field kReviewSpec[] = {{1, "resourceAttributes", Type::kMessage, kResourceAttributes}};
constexpr Field kReview[] = {{1, "metadata", Type::kMessage, kObjectMeta}, {2, "spec", Type::kMessage, kReviewSpec}};
constexpr Field kTokenSpec[] = {{1, "audiences", Type::kStrings}, {4, "expirationSeconds", Type::kInteger}};
constexpr Field kTokenRequest[] = {{1, "metadata", Type::kMessage, kObjectMeta},
                                   {2, "spec", Type::kMessage, kTokenSpec}};

std::span<const Field> fields_of(const std::string& kind) {
  static const std::map<std::string, std::span<const Field>> kinds = {{"Namespace", kNamespace},
                                                                      {"ConfigMap", kConfigMap},
                                                                      {"Secret", kSecret},
                                                                      {"ServiceAccount", kServiceAccount},
                                                                      {"SelfSubjectAccessReview", kReview},
                                                                      {"TokenRequest", kTokenRequest}};
  const auto at = kinds.find(kind);
  return at == kinds.end() ? std::span<const Field>{} : at->second;
}

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

std::pair<std::string, std::string> map_entry(std::string_view bytes) {
  std::pair<std::string, std::string> out;
  for (Reader reader(bytes); !reader.at_end();) {
    const auto tag = reader.varint();
    if (tag >> 3 == 1) {
      out.first = reader.block();
    } else if (tag >> 3 == 2) {
      out.second = reader.block();
    } else {
      reader.skip(tag & 7);
    }
  }
  return out;
}

Json read_message(std::string_view bytes, std::span<const Field> fields, int depth) {
  if (depth > kMaxDepth) malformed();
  Json out = Json::object();
  for (Reader reader(bytes); !reader.at_end();) {
    const auto tag = reader.varint();
    const auto known = std::ranges::find(fields, static_cast<unsigned>(tag >> 3), &Field::number);
    if (known == fields.end()) {
      reader.skip(tag & 7);
      continue;
    }
    const std::string name(known->name);
    switch (known->type) {
      case Type::kInteger: out[name] = static_cast<std::int64_t>(reader.varint()); break;
      case Type::kBoolean: out[name] = reader.varint() != 0; break;
      case Type::kBytes: out[name] = base64_encode(reader.block()); break;
      case Type::kMessage: out[name] = read_message(reader.block(), known->fields, depth + 1); break;
      case Type::kStrings: out[name].push_back(std::string(reader.block())); break;
      case Type::kStringMap:
      case Type::kBytesMap: {
        auto [key, value] = map_entry(reader.block());
        out[name][key] = known->type == Type::kBytesMap ? base64_encode(value) : value;
        break;
      }
      case Type::kString: {
        const auto text = reader.block();
        if (!text.empty()) out[name] = std::string(text);
        break;
      }
    }
  }
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
  Json type = Json::object();
  std::string_view raw;
  for (Reader reader(body.substr(kMagic.size())); !reader.at_end();) {
    const auto tag = reader.varint();
    if (tag >> 3 == 1) {
      type = read_message(reader.block(), kTypeMeta, 0);
    } else if (tag >> 3 == 2) {
      raw = reader.block();
    } else {
      reader.skip(tag & 7);
    }
  }
  const auto fields = fields_of(string_at(type, "kind"));
  if (fields.empty()) return std::nullopt;
  auto object = read_message(raw, fields, 0);
  object.update(type);
  check_text(object);
  return object;
}

}  // namespace mtc::sandbox
