#include "kube/status.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"
#include "json/json.hpp"

namespace mtc::kube {
namespace {

/// The message of a Status; else the first line of whatever it was, for proxies and servers that are no Kubernetes.
std::string message_of(const http::Response& response, std::string* reason) {
  try {
    const auto status = parse_json(response.body, {.max_bytes = 1024 * 1024});
    if (string_at(status, "kind") == "Status") {
      *reason = string_at(status, "reason");
      return string_at(status, "message");
    }
  } catch (const Error&) {
    // Not JSON: told below.
  }
  auto text = std::string(trim(response.body)).substr(0, 200);
  text = text.substr(0, text.find('\n'));
  return fmt::format("HTTP {}{}{}", response.status, text.empty() ? "" : ": ", text);
}

}  // namespace

Code code_of_status(int http_status, std::string_view reason) {
  if (reason == "AlreadyExists") return Code::kAlreadyExists;
  if (reason == "Expired" || reason == "Gone") return Code::kExpired;
  if (reason == "Timeout" || reason == "ServerTimeout") return Code::kTimeout;
  switch (http_status) {
    case 400:
    case 413:
    case 415:
    case 422: return Code::kInvalid;
    case 401: return Code::kUnauthorized;
    case 403: return Code::kForbidden;
    case 404: return Code::kNotFound;
    case 405:
    case 406:
    case 501: return Code::kUnsupported;
    case 409: return Code::kConflict;
    case 410: return Code::kExpired;
    case 429: return Code::kThrottled;
    case 504: return Code::kTimeout;
    default: return http_status >= 500 ? Code::kUnavailable : Code::kInvalid;
  }
}

Error error_of(const http::Response& response, std::string_view doing) {
  std::string reason;
  auto message = message_of(response, &reason);
  if (message.empty()) message = fmt::format("HTTP {} {}", response.status, reason);
  Error error(code_of_status(response.status, reason), std::move(message));
  error.with_http_status(response.status).with_context(doing);
  if (const auto wait = http::retry_after(response.headers)) error.with_retry_after(*wait);
  return error;
}

}  // namespace mtc::kube
