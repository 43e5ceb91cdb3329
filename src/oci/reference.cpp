#include "oci/reference.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace mtc::oci {
namespace {

constexpr std::size_t kMostName = 255;
constexpr std::size_t kMostTag = 128;
constexpr std::string_view kDockerHub = "docker.io";

bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_alnum(char c) { return is_lower_alnum(c) || (c >= 'A' && c <= 'Z'); }

/// [a-z0-9]+ joined by ".", "_", "__" or any number of "-".
bool is_component(std::string_view text) {
  if (text.empty() || !is_lower_alnum(text.front()) || !is_lower_alnum(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_lower_alnum(text[i])) {
      ++i;
      continue;
    }
    const auto end = std::ranges::find_if(text.substr(i), is_lower_alnum) - text.begin();
    const auto separator = text.substr(i, static_cast<std::size_t>(end) - i);
    const bool dashes = separator.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
    i += separator.size();
  }
  return true;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_host_label(std::string_view text) {
  return !text.empty() && is_alnum(text.front()) && is_alnum(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '-'; });
}

/// host[:port], or an IPv6 address in brackets.
bool is_registry(std::string_view text) {
  if (text.size() > kMostName) return false;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos || end == 1) return false;
    const auto inside = text.substr(1, end - 1), after = text.substr(end + 1);
    const bool address = inside.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
    return address && (after.empty() || (after.front() == ':' && is_port(after.substr(1))));
  }
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) return false;
  const auto labels = split(text.substr(0, colon), '.');
  return !labels.empty() && std::ranges::all_of(labels, is_host_label);
}

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  constexpr std::size_t most_quoted = 300;
  throw Error(Code::kInvalid, fmt::format("\"{}\" names no image: {}", text.substr(0, most_quoted), why));
}

bool looks_like_registry(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:[") != std::string_view::npos ||
         std::ranges::any_of(first, [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// Cuts registry and repository apart.
void take_name(Reference& into, std::string_view text, std::string_view name) {
  const auto slash = name.find('/');
  if (slash != std::string_view::npos && looks_like_registry(name.substr(0, slash))) {
    into.registry = name.substr(0, slash);
    into.repository = name.substr(slash + 1);
    if (!is_registry(into.registry)) refuse(text, "its registry is no host with a port");
  } else {
    into.registry = kDockerHub;
    into.repository = name;
  }
  if (into.registry == "index.docker.io") into.registry = kDockerHub;
  if (into.registry == kDockerHub && !into.repository.contains('/')) into.repository = "library/" + into.repository;
}

std::string_view fault_of_repository(std::string_view text) {
  if (text.size() > kMostName) return "its repository is longer than 255 bytes";
  if (to_lower(text) != text) return "its repository must be lower case";
  return "its repository has to be of a-z and 0-9, with single separators";
}

}  // namespace

bool is_repository(std::string_view text) {
  if (text.empty() || text.size() > kMostName || text.back() == '/') return false;
  return std::ranges::all_of(split(text, '/'), is_component);
}

bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > kMostTag || text.front() == '.' || text.front() == '-') return false;
  return std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

Reference Reference::parse(std::string_view text) {
  Reference out;
  auto rest = text;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    out.digest = Digest::parse(rest.substr(at + 1));
    if (!out.digest) refuse(text, "its digest is none, or of an algorithm other than sha256 and sha512");
    rest = rest.substr(0, at);
  }
  const auto colon = rest.rfind(':');
  if (colon != std::string_view::npos && rest.find('/', colon) == std::string_view::npos) {
    out.tag = rest.substr(colon + 1);
    if (!is_tag(out.tag)) refuse(text, "a tag is at most 128 of letters, digits, \"_\", \".\" and \"-\"");
    rest = rest.substr(0, colon);
  }
  take_name(out, text, rest);
  if (!is_repository(out.repository)) refuse(text, fault_of_repository(out.repository));
  return out;
}

std::string Reference::str() const {
  auto text = name();
  if (!tag.empty()) text += ":" + tag;
  if (digest) text += "@" + digest->str();
  return text;
}

std::string Reference::target() const {
  if (digest) return digest->str();
  return tag.empty() ? "latest" : tag;
}

}  // namespace mtc::oci
