#include "json/yaml.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <yaml.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "json/scalar.hpp"

namespace mtc {
namespace {

constexpr std::size_t kMaxDepth = 512;         ///< libyaml is quadratic in flow depth, and our own reader recurses
constexpr std::size_t kMaxNodes = 2'000'000;   ///< after expanding aliases
constexpr std::size_t kLongestPlainKey = 128;  ///< of go-yaml
constexpr std::size_t kMaxBytes = 64 * 1024 * 1024;

struct EventDeleter {
  void operator()(yaml_event_t* event) const {
    yaml_event_delete(event);
    delete event;
  }
};
using EventPtr = std::unique_ptr<yaml_event_t, EventDeleter>;

std::string text_of(const yaml_char_t* text) { return text == nullptr ? "" : reinterpret_cast<const char*>(text); }

/// Builds JSON from libyaml's events.
class Reader {
 public:
  explicit Reader(std::string_view text) {
    if (yaml_parser_initialize(&parser_) == 0) throw Error(Code::kInternal, "libyaml does not start");
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~Reader() { yaml_parser_delete(&parser_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  std::vector<Json> documents() {
    std::vector<Json> out;
    for (;;) {
      const auto event = next();
      if (event->type == YAML_STREAM_END_EVENT) return out;
      if (event->type != YAML_DOCUMENT_START_EVENT) continue;
      anchors_.clear();
      auto document = value(next(), 0);
      if (!document.is_null()) out.push_back(std::move(document));
    }
  }

 private:
  EventPtr next() {
    EventPtr event(new yaml_event_t{});
    if (yaml_parser_parse(&parser_, event.get()) == 0) {
      refuse(parser_.problem_mark, parser_.problem == nullptr ? "unreadable" : parser_.problem);
    }
    return event;
  }

  [[noreturn]] static void refuse(const yaml_mark_t& mark, std::string_view why) {
    throw Error(Code::kInvalid, fmt::format("not YAML (line {}, column {}): {}", mark.line + 1, mark.column + 1, why));
  }

  Json value(const EventPtr& event, std::size_t depth) {
    if (depth > kMaxDepth) refuse(event->start_mark, fmt::format("nested deeper than {} levels", kMaxDepth));
    count(1);
    switch (event->type) {
      case YAML_ALIAS_EVENT: return alias(event, depth);
      case YAML_SCALAR_EVENT: return anchored(text_of(event->data.scalar.anchor), scalar(event));
      case YAML_SEQUENCE_START_EVENT: return anchored(text_of(event->data.sequence_start.anchor), sequence(depth));
      case YAML_MAPPING_START_EVENT: return anchored(text_of(event->data.mapping_start.anchor), mapping(depth));
      default: refuse(event->start_mark, "a value is missing");
    }
  }

  Json anchored(const std::string& anchor, Json node) {
    if (anchor.empty()) return node;
    const auto extent = extent_of(node);
    count(extent.size);  // the copy that is kept
    anchors_[anchor] = {node, extent};
    return node;
  }

  void count(std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > kMaxNodes) refuse(parser_.mark, "too many values (aliases?)");
  }

  Json alias(const EventPtr& event, std::size_t depth) {
    const auto at = anchors_.find(text_of(event->data.alias.anchor));
    if (at == anchors_.end())
      refuse(event->start_mark, fmt::format("unknown anchor '{}'", text_of(event->data.alias.anchor)));
    const auto& [value, extent] = at->second;
    if (depth + extent.depth > kMaxDepth)
      refuse(event->start_mark, fmt::format("its aliases nest deeper than {} levels", kMaxDepth));
    count(extent.size);
    return value;
  }

  struct Extent {
    std::size_t size = 1;   ///< values
    std::size_t depth = 0;  ///< levels below
  };

  static Extent extent_of(const Json& node) {
    Extent out;
    if (!node.is_structured()) return out;
    for (const auto& child : node) {
      const auto below = extent_of(child);
      out.size += below.size;
      out.depth = std::max(out.depth, below.depth + 1);
    }
    return out;
  }

  static Json scalar(const EventPtr& event) {
    const auto& data = event->data.scalar;
    const std::string text(reinterpret_cast<const char*>(data.value), data.length);
    const auto tag = text_of(data.tag);
    if (tag == "tag:yaml.org,2002:binary") {
      // sigs.k8s.io/yaml keeps the decoded bytes as a string.
      auto bytes = base64_decode(text);
      if (!bytes) refuse(event->start_mark, "!!binary is not base64");
      return *bytes;
    }
    const bool plain = data.style == YAML_PLAIN_SCALAR_STYLE && tag != "tag:yaml.org,2002:str" && tag != "!";
    return plain ? resolve_scalar(text) : Json(text);
  }

  Json sequence(std::size_t depth) {
    Json out = Json::array();
    for (auto event = next(); event->type != YAML_SEQUENCE_END_EVENT; event = next())
      out.push_back(value(event, depth + 1));
    return out;
  }

  static std::string key_text(const Json& key, const yaml_mark_t& mark) {
    if (key.is_string()) return key.get<std::string>();
    if (key.is_structured()) refuse(mark, "a mapping key that is no scalar");
    return key.is_null() ? "null" : dump(key);
  }

  Json mapping(std::size_t depth) {
    Json out = Json::object();
    Json merged = Json::object();
    for (auto event = next(); event->type != YAML_MAPPING_END_EVENT; event = next()) {
      const auto mark = event->start_mark;
      const bool merge = event->type == YAML_SCALAR_EVENT && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                         text_of(event->data.scalar.value) == "<<";
      const auto key = key_text(value(event, depth + 1), mark);
      auto node = value(next(), depth + 1);
      if (merge) {
        add_merge(merged, node, mark);
      } else {
        out[key] = std::move(node);
      }
    }
    for (auto& [key, node] : merged.items()) {
      if (!out.contains(key)) out[key] = node;
    }
    return out;
  }

  /// `<<: *a` or `<<: [*a, *b]`: earlier ones win, and the mapping's own keys win over all.
  static void add_merge(Json& merged, const Json& node, const yaml_mark_t& mark) {
    if (node.is_array()) {
      for (const auto& part : node) add_merge(merged, part, mark);
    } else if (node.is_object()) {
      for (const auto& [key, inner] : node.items()) {
        if (!merged.contains(key)) merged[key] = inner;
      }
    } else {
      refuse(mark, "<< merges something that is no mapping");
    }
  }

  struct Anchor {
    Json value;
    Extent extent;
  };
  yaml_parser_t parser_{};
  std::map<std::string, Anchor> anchors_;
  std::size_t nodes_ = 0;
};

void write(const Json& value, std::size_t indent, std::string& out);

/// A string of several lines is a literal block when that keeps every byte.
bool fits_literal(const std::string& text) {
  if (!text.contains('\n') || text.front() == ' ' || text.front() == '\n' || text.contains(" \n") ||
      needs_escapes(text))
    return false;
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\n'; });
}

void write_scalar(const Json& value, std::size_t indent, std::string& out) {
  if (!value.is_string()) {
    out += ' ' + dump(value) + '\n';
    return;
  }
  const auto& text = value.get_ref<const std::string&>();
  if (!fits_literal(text)) {
    out += ' ' + quote_scalar(text) + '\n';
    return;
  }
  const bool ends = text.ends_with('\n');
  out += ends ? (text.ends_with("\n\n") ? " |+\n" : " |\n") : " |-\n";
  auto lines = split(ends ? std::string_view(text).substr(0, text.size() - 1) : std::string_view(text), '\n');
  for (const auto& line : lines) out += line.empty() ? "\n" : std::string(indent, ' ') + line + '\n';
}

/// What follows "key:" or "-".
void write_after(const Json& value, std::size_t indent, std::string& out) {
  if (value.is_object() && !value.empty()) {
    out += '\n';
    write(value, indent, out);
  } else if (value.is_array() && !value.empty()) {
    out += '\n';
    write(value, indent - 2, out);  // kubectl does not indent lists below their key
  } else {
    write_scalar(value, indent, out);
  }
}

void write(const Json& value, std::size_t indent, std::string& out) {
  const std::string blank(indent, ' ');
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, child] : value.items()) {
      // Readers look for the colon of a key so far and no further.
      const bool is_long = key.size() > kLongestPlainKey;
      out += blank + (is_long ? "? " : "") + quote_scalar(key) + (is_long ? '\n' + blank + ':' : ":");
      write_after(child, indent + 2, out);
    }
  } else if (value.is_array() && !value.empty()) {
    for (const auto& child : value) {
      if (child.is_structured() && !child.empty()) {
        std::string inner;
        write(child, indent + 2, inner);
        out += blank + "- " + inner.substr(indent + 2);
      } else {
        out += blank + '-';
        write_scalar(child, indent + 2, out);
      }
    }
  } else {
    std::string scalar;
    write_scalar(value, indent + 2, scalar);
    out += blank + scalar.substr(1);
  }
}

}  // namespace

std::vector<Json> parse_yaml(std::string_view text) {
  if (text.size() > kMaxBytes) throw Error(Code::kInvalid, fmt::format("YAML text is longer than {} bytes", kMaxBytes));
  return Reader(text).documents();
}

Json parse_yaml_one(std::string_view text) {
  auto documents = parse_yaml(text);
  if (documents.size() != 1) {
    throw Error(Code::kInvalid, fmt::format("expected one YAML document, found {}", documents.size()));
  }
  return std::move(documents.front());
}

std::string to_yaml(const Json& value) {
  std::string out;
  write(value, 0, out);
  return out;
}

}  // namespace mtc
