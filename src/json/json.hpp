#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "json/fwd.hpp"

namespace mtc {

/// Bounds for text of strangers.
struct JsonLimits {
  std::size_t max_depth = 512;               ///< nesting; dump, copy and compare of a Json recurse
  std::size_t max_bytes = 64 * 1024 * 1024;  ///< of text
};

/// Parses one JSON document (RFC 8259). Throws Error(kCorrupt) naming line, column and cause; never crashes on any
/// input. The last of duplicate keys wins, as in Kubernetes. Invalid UTF-8 is refused.
Json parse_json(std::string_view text, JsonLimits limits = {});

/// Compact text, keys sorted. Never throws: invalid UTF-8 is written as U+FFFD.
std::string dump(const Json& value);
/// Indented by two, as `kubectl -o json` and velero-backup.json are.
std::string dump_pretty(const Json& value);
/// Compact text in the given key order with Go's HTML escapes (<, >, &, U+2028, U+2029): encoding/json, for digests.
std::string dump_go(const Json& value);

// Reading without exceptions and without inserting. `path` is dotted: "status.phase"; a segment that holds dots
// (an annotation key) is reached with find(find(x, "metadata.annotations"), key) instead.

/// The value at `path`, or nullptr if any part is absent or its parent is no object.
const Json* find(const Json& value, std::string_view path);
/// The member `key` taken literally (dots and all), or nullptr.
const Json* member(const Json& value, std::string_view key);
/// The string at `path`; "" if absent or no string.
std::string string_at(const Json& value, std::string_view path);
/// The integer at `path`; nullopt if absent or no integer.
std::optional<std::int64_t> int_at(const Json& value, std::string_view path);
/// The boolean at `path`; `fallback` if absent or no boolean.
bool bool_at(const Json& value, std::string_view path, bool fallback = false);
/// The array at `path`; an empty array if absent or no array. The reference lives as long as `value`, or for ever.
const Json& array_at(const Json& value, std::string_view path);
/// The object at `path`; an empty object if absent or no object. Lifetime as array_at.
const Json& object_at(const Json& value, std::string_view path);
/// The strings of the array at `path`; elements of other types are left out.
std::vector<std::string> strings_at(const Json& value, std::string_view path);
/// Sets the value at `path`, making objects on the way. Replaces a non-object parent.
void set_at(Json& value, std::string_view path, Json leaf);
/// Removes the member at `path`, if there.
void erase_at(Json& value, std::string_view path);

}  // namespace mtc
