#include "http/message.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/strings.hpp"

namespace mtc::http {

std::string_view Headers::get(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (iequals(key, name)) return value;
  }
  return {};
}

bool Headers::has(std::string_view name) const {
  return std::ranges::any_of(fields_, [&](const auto& field) { return iequals(field.first, name); });
}

void Headers::set(std::string name, std::string value) {
  remove(name);
  add(std::move(name), std::move(value));
}

void Headers::add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const auto& field) { return iequals(field.first, name); });
}

std::string Headers::redacted() const {
  constexpr std::array kSecret = {"authorization", "proxy-authorization", "cookie", "set-cookie",
                                  "x-amz-security-token"};
  std::string out;
  for (const auto& [name, value] : fields_) {
    const bool secret =
        std::ranges::any_of(kSecret, [&, &key = name](const char* known) { return iequals(key, known); });
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", name, secret ? "***" : value);
  }
  return out;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 422: return "Unprocessable Entity";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Status";
  }
}

Code code_of_status(int status) {
  switch (status) {
    case 400: return Code::kInvalid;
    case 401: return Code::kUnauthorized;
    case 403: return Code::kForbidden;
    case 404: return Code::kNotFound;
    case 429: return Code::kThrottled;
    default: return status >= 500 ? Code::kUnavailable : Code::kUnsupported;
  }
}

std::optional<std::chrono::seconds> retry_after(const Headers& headers) {
  constexpr unsigned most = 60;
  const auto text = headers.get("Retry-After");
  unsigned seconds = 0;
  const auto [at, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || failed != std::errc{} || at != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, most));
}

Error advised(const Error& error, const Advice& advice) {
  const auto text = [&]() -> std::string_view {
    switch (error.code()) {
      case Code::kTls: return advice.untrusted;
      case Code::kNotFound: return advice.unknown;
      case Code::kTimeout: return advice.silent;
      case Code::kUnavailable: return advice.closed;
      default: return "";
    }
  }();
  if (text.empty()) return error;
  Error out(error.code(), fmt::format("{} — {}", error.what(), text));
  if (error.retry_after()) out.with_retry_after(*error.retry_after());
  return out;
}

}  // namespace mtc::http
