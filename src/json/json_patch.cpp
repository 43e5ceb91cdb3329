#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/error.hpp"
#include "json/json.hpp"
#include "json/patch.hpp"

namespace mtc {
namespace {

using Pointer = Json::json_pointer;

// The bounds of the API server: a short patch must not be able to make a long document.
constexpr std::size_t kMostOperations = 10'000;
constexpr std::size_t kMostCopiedBytes = 3 * 1024 * 1024;
constexpr std::ptrdiff_t kMaxDepth = 512;

[[noreturn]] void refuse(std::string_view why) {
  throw Error(Code::kInvalid, fmt::format("the JSON patch does not apply: {}", why));
}

const Json& member_of(const Json& operation, const char* name) {
  const auto* value = member(operation, name);
  if (value == nullptr) refuse(fmt::format("an operation has no \"{}\"", name));
  return *value;
}

std::string text_of(const Json& operation, const char* name) {
  const auto& value = member_of(operation, name);
  if (!value.is_string()) refuse(fmt::format("the \"{}\" of an operation is no string", name));
  return value.get<std::string>();
}

bool deeper_than(const Json& value, std::ptrdiff_t levels) {
  if (!value.is_structured()) return false;
  return levels <= 0 ||
         std::any_of(value.begin(), value.end(), [&](const Json& v) { return deeper_than(v, levels - 1); });
}

void check_depth(const std::string& path, const Json& value) {
  if (deeper_than(value, kMaxDepth - std::ranges::count(path, '/'))) {
    refuse(fmt::format("it nests deeper than {} levels", kMaxDepth));
  }
}

std::size_t index_of(const std::string& token, std::size_t most) {
  std::size_t index = 0;
  const auto [end, failed] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool is_number =
      failed == std::errc{} && end == token.data() + token.size() && (token == "0" || token[0] != '0');
  if (!is_number || index > most) refuse(fmt::format("\"{}\" is no index of an array of {}", token, most));
  return index;
}

void add(Json& document, const std::string& path, Json value) {
  check_depth(path, value);
  const Pointer at(path);
  if (at.empty()) {
    document = std::move(value);
    return;
  }
  auto& parent = document.at(at.parent_pointer());
  if (parent.is_object()) {
    parent[at.back()] = std::move(value);
  } else if (parent.is_array()) {
    const auto index = at.back() == "-" ? parent.size() : index_of(at.back(), parent.size());
    parent.insert(parent.begin() + static_cast<Json::difference_type>(index), std::move(value));
  } else {
    refuse(fmt::format("{} lies in something that is neither object nor array", path));
  }
}

/// Removes and returns what is at `path`.
Json take(Json& document, const std::string& path) {
  const Pointer at(path);
  if (at.empty()) refuse("the whole document cannot be removed");
  Json value = std::move(document.at(at));
  auto& parent = document.at(at.parent_pointer());
  if (parent.is_object()) {
    parent.erase(at.back());
  } else {
    parent.erase(index_of(at.back(), parent.size()));
  }
  return value;
}

void move(Json& document, const std::string& from, const std::string& path) {
  if (path.starts_with(from + "/")) refuse(fmt::format("{} cannot move into itself", from));
  add(document, path, take(document, from));
}

void replace(Json& document, const std::string& path, const Json& value) {
  check_depth(path, value);
  document.at(Pointer(path)) = value;
}

void copy(Json& document, const std::string& from, const std::string& path, std::size_t& copied) {
  Json value = document.at(Pointer(from));
  copied += dump(value).size();
  if (copied > kMostCopiedBytes) refuse(fmt::format("it copies more than {} bytes", kMostCopiedBytes));
  add(document, path, std::move(value));
}

void apply(Json& document, const Json& operation, std::size_t& copied) {
  const auto op = text_of(operation, "op");
  const auto path = text_of(operation, "path");
  if (op == "add") {
    add(document, path, member_of(operation, "value"));
  } else if (op == "remove") {
    take(document, path);
  } else if (op == "replace") {
    replace(document, path, member_of(operation, "value"));
  } else if (op == "move") {
    move(document, text_of(operation, "from"), path);
  } else if (op == "copy") {
    copy(document, text_of(operation, "from"), path, copied);
  } else if (op != "test") {
    refuse(fmt::format("\"{}\" is no operation", op));
  } else if (document.at(Pointer(path)) != member_of(operation, "value")) {
    refuse(fmt::format("the test of {} failed", path));
  }
}

}  // namespace

Json apply_json_patch(const Json& target, const Json& patch) {
  if (!patch.is_array()) throw Error(Code::kInvalid, "a JSON patch is an array of operations");
  if (patch.size() > kMostOperations) refuse(fmt::format("it has more than {} operations", kMostOperations));
  Json document = target;
  std::size_t copied = 0;
  try {
    for (const auto& operation : patch) apply(document, operation, copied);
  } catch (const Json::exception& failure) {
    refuse(failure.what());
  }
  return document;
}

}  // namespace mtc
