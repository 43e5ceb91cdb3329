#include "http/url.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"

namespace mtc::http {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw Error(Code::kInvalid, fmt::format("\"{}\" is not a usable URL: {}", text, why));
}

}  // namespace

Url Url::parse(std::string_view text) {
  const auto whole = text;
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; })) {
    refuse(whole, "it holds blanks or control characters");
  }
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) refuse(whole, "it has no scheme, such as https://");
  Url url;
  url.scheme = to_lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") refuse(whole, "its scheme is neither http nor https");
  text.remove_prefix(colon + 3);
  text = text.substr(0, text.find('#'));

  auto authority = text.substr(0, text.find_first_of("/?"));
  text.remove_prefix(authority.size());
  if (authority.contains('@')) refuse(whole, "it holds user information");
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) refuse(whole, "its IPv6 address has no closing bracket");
    url.host = to_lower(authority.substr(1, end - 1));
    port = authority.substr(end + 1);
    if (!port.empty() && port[0] != ':') refuse(whole, "something follows its IPv6 address");
    if (!port.empty()) port.remove_prefix(1);
  } else {
    const auto at = authority.find(':');
    url.host = to_lower(authority.substr(0, at));
    if (at != std::string_view::npos) port = authority.substr(at + 1);
  }
  if (url.host.empty()) refuse(whole, "it has no host");
  if (url.host.find_first_of("[]") != std::string::npos) refuse(whole, "its host holds a bracket");
  url.port = url.scheme == "https" ? 443 : 80;
  if (!port.empty()) {
    const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (failed != std::errc{} || end != port.data() + port.size() || url.port == 0)
      refuse(whole, "its port is not 1 to 65535");
  }
  const auto question = text.find('?');
  url.path = text.substr(0, question);
  if (question != std::string_view::npos) url.query = text.substr(question + 1);
  return url;
}

std::string Url::authority() const {
  const auto name = host.contains(':') ? fmt::format("[{}]", host) : host;
  return port == (scheme == "https" ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

std::string Url::str() const {
  return fmt::format("{}://{}{}{}{}", scheme, authority(), path, query.empty() ? "" : "?", query);
}

std::string encode_query(const Query& query) {
  std::string out;
  for (const auto& [name, value] : query) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", percent_encode(name), percent_encode(value));
  }
  return out;
}

Query decode_query(std::string_view text) {
  Query query;
  for (auto part : split(text, '&')) {
    if (part.empty()) continue;
    std::ranges::replace(part, '+', ' ');
    const auto at = part.find('=');
    const auto name = percent_decode(std::string_view(part).substr(0, at));
    const auto value = at == std::string::npos ? std::string() : percent_decode(std::string_view(part).substr(at + 1));
    if (name && value) query.emplace_back(*name, *value);
  }
  return query;
}

}  // namespace mtc::http
