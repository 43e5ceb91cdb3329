#include "base/error.hpp"

#include <utility>

#include <fmt/format.h>

namespace mtc {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::kInvalid: return "Invalid";
    case Code::kNotFound: return "NotFound";
    case Code::kAlreadyExists: return "AlreadyExists";
    case Code::kConflict: return "Conflict";
    case Code::kUnauthorized: return "Unauthorized";
    case Code::kForbidden: return "Forbidden";
    case Code::kExpired: return "Expired";
    case Code::kThrottled: return "Throttled";
    case Code::kUnavailable: return "Unavailable";
    case Code::kTimeout: return "Timeout";
    case Code::kTls: return "Tls";
    case Code::kCorrupt: return "Corrupt";
    case Code::kUnsupported: return "Unsupported";
    case Code::kInternal: return "Internal";
  }
  return "Internal";
}

Error::Error(Code code, std::string message)
    : std::runtime_error(message), code_(code), message_(std::move(message)), text_(message_) {}

Error& Error::with_http_status(int status) {
  http_status_ = status;
  return *this;
}

Error& Error::with_retry_after(std::chrono::milliseconds delay) {
  retry_after_ = delay;
  return *this;
}

Error& Error::with_context(std::string_view doing) {
  text_ = fmt::format("{}: {}", doing, text_);
  return *this;
}

bool Error::transient() const {
  return code_ == Code::kThrottled || code_ == Code::kUnavailable || code_ == Code::kTimeout;
}

}  // namespace mtc
