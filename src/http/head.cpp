#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "http/wire.hpp"

namespace mtc::http {
namespace {

[[noreturn]] void malformed(std::string_view what) {
  throw Error(Code::kInvalid, fmt::format("malformed HTTP: {}", what)).with_http_status(400);
}

bool is_token(char c) {
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kPunctuation.contains(c);
}

bool is_value(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F); }

/// Takes the next CRLF line off `text`.
std::string_view next_line(std::string_view& text) {
  const auto end = text.find("\r\n");
  if (end == std::string_view::npos) malformed("a line has no end");
  const auto line = text.substr(0, end);
  if (line.find_first_of("\r\n") != std::string_view::npos) malformed("a bare CR or LF");
  text.remove_prefix(end + 2);
  return line;
}

Headers parse_fields(std::string_view text, const WireLimits& limits) {
  Headers headers;
  for (auto line = next_line(text); !line.empty(); line = next_line(text)) {
    if (headers.fields().size() >= limits.fields) malformed("too many header fields");
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) malformed("a header field without a name");
    const auto name = line.substr(0, colon);
    if (!std::ranges::all_of(name, is_token)) malformed("a header name with forbidden characters");
    const auto value = trim(line.substr(colon + 1));
    if (!std::ranges::all_of(value, is_value)) malformed("a header value with control characters");
    headers.add(std::string(name), std::string(value));
  }
  return headers;
}

int parse_version(std::string_view text) {
  if (text != "HTTP/1.1" && text != "HTTP/1.0") malformed("neither HTTP/1.1 nor HTTP/1.0");
  return text.back() - '0';
}

std::optional<std::uint64_t> content_length(const Headers& headers) {
  std::optional<std::uint64_t> length;
  for (const auto& [name, value] : headers.fields()) {
    if (!iequals(name, "Content-Length")) continue;
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (failed != std::errc{} || end != value.data() + value.size()) malformed("a Content-Length that is no number");
    if (length && *length != number) malformed("two different Content-Lengths");
    length = number;
  }
  return length;
}

std::size_t count(const Headers& headers, std::string_view name) {
  return static_cast<std::size_t>(
      std::ranges::count_if(headers.fields(), [&](const auto& field) { return iequals(field.first, name); }));
}

/// True for "Transfer-Encoding: chunked", false for none; nothing else is understood.
bool is_chunked(const Headers& headers, int minor_version) {
  if (!headers.has("Transfer-Encoding")) return false;
  if (headers.has("Content-Length")) malformed("both Content-Length and Transfer-Encoding");
  if (count(headers, "Transfer-Encoding") != 1 || !iequals(headers.get("Transfer-Encoding"), "chunked")) {
    malformed("a transfer coding other than chunked");
  }
  if (minor_version == 0) malformed("a transfer coding in HTTP/1.0");
  return true;
}

/// "http://host/path" → "/path": servers must understand the form that proxies are sent (RFC 9112 §3.2.2).
std::string origin_form(std::string_view target) {
  const auto scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos || scheme > target.find('?'))
    return std::string(target);
  const auto path = target.find_first_of("/?", scheme + 3);
  if (path == std::string_view::npos) return "/";
  return (target[path] == '?' ? "/" : "") + std::string(target.substr(path));
}

bool is_target(std::string_view text) {
  const auto visible = [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; };
  return !text.empty() && std::ranges::all_of(text, visible);
}

bool is_method(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token); }

}  // namespace

RequestHead parse_request_head(std::string_view text, const WireLimits& limits) {
  const auto line = next_line(text);
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) malformed("the request line");
  RequestHead head;
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  head.minor_version = parse_version(line.substr(last + 1));
  if (!is_method(head.method)) malformed("the method");
  if (!is_target(head.target)) malformed("the request target");
  head.target = origin_form(head.target);
  head.headers = parse_fields(text, limits);
  const auto hosts = count(head.headers, "Host");
  if (hosts > 1 || (hosts == 0 && head.minor_version == 1)) malformed("no Host, or more than one");
  return head;
}

ResponseHead parse_response_head(std::string_view text, const WireLimits& limits, int* minor_version) {
  const auto line = next_line(text);
  if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) malformed("the status line");
  const int version = parse_version(line.substr(0, 8));
  if (minor_version != nullptr) *minor_version = version;
  ResponseHead head;
  const auto [end, failed] = std::from_chars(line.data() + 9, line.data() + 12, head.status);
  if (failed != std::errc{} || end != line.data() + 12 || head.status < 100) malformed("the status code");
  if (line.size() > 13) head.reason = line.substr(13);
  head.headers = parse_fields(text, limits);
  return head;
}

BodyFraming request_framing(const RequestHead& head) {
  if (is_chunked(head.headers, head.minor_version)) return {BodyFraming::Kind::kChunked, 0};
  const auto length = content_length(head.headers);
  if (!length || *length == 0) return {};
  return {BodyFraming::Kind::kLength, *length};
}

BodyFraming response_framing(const ResponseHead& head, std::string_view request_method) {
  if (request_method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304) return {};
  if (is_chunked(head.headers, 1)) return {BodyFraming::Kind::kChunked, 0};
  const auto length = content_length(head.headers);
  if (!length) return {BodyFraming::Kind::kUntilClose, 0};
  if (*length == 0) return {};
  return {BodyFraming::Kind::kLength, *length};
}

bool has_token(const Headers& headers, std::string_view name, std::string_view token) {
  for (const auto& [key, value] : headers.fields()) {
    if (!iequals(key, name)) continue;
    for (const auto& item : split(value, ',')) {
      if (iequals(trim(item), token)) return true;
    }
  }
  return false;
}

bool keeps_alive(const Headers& headers, int minor_version) {
  if (has_token(headers, "Connection", "close")) return false;
  return minor_version == 1 || has_token(headers, "Connection", "keep-alive");
}

std::string serialize_request_head(std::string_view method, std::string_view target, const Headers& headers) {
  if (!is_method(method) || !is_target(target)) {
    throw Error(Code::kInvalid, "a request cannot be sent: its method or target holds forbidden characters");
  }
  return fmt::format("{} {} HTTP/1.1\r\n{}", method, target, serialize_headers(headers));
}

std::string serialize_headers(const Headers& headers) {
  std::string out;
  for (const auto& [name, value] : headers.fields()) {
    if (name.empty() || !std::ranges::all_of(name, is_token) || !std::ranges::all_of(value, is_value)) {
      throw Error(Code::kInvalid, fmt::format("header {} cannot be sent: it holds forbidden characters", name));
    }
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  return out + "\r\n";
}

}  // namespace mtc::http
