#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mtc {

/// What kind of failure an Error is: decides whether a caller retries, and which condition a user sees.
enum class Code {
  kInvalid,        ///< the caller's input is wrong; the same request can never succeed
  kNotFound,       ///< the object, key, bucket or host name does not exist
  kAlreadyExists,  ///< created by somebody else first
  kConflict,       ///< optimistic lock lost: read again, then write again
  kUnauthorized,   ///< no or wrong credentials
  kForbidden,      ///< known, but not allowed
  kExpired,        ///< a resourceVersion or continue token is too old: list again (HTTP 410)
  kThrottled,      ///< asked to slow down (HTTP 429, 503 SlowDown); see retry_after
  kUnavailable,    ///< refused, reset, DNS failure, 5xx: may work later
  kTimeout,        ///< a deadline passed
  kTls,            ///< certificate not trusted, expired, wrong name, or no TLS spoken
  kCorrupt,        ///< bytes that cannot be what they claim to be: bad digest, bad archive, bad JSON
  kUnsupported,    ///< the peer cannot do this
  kInternal,       ///< a bug of ours
};

/// The stable name of a code, for logs and JSON: "NotFound".
std::string_view to_string(Code code);

/// A failure that ends the current operation. Expected outcomes that a caller branches on are values, not Errors, and
/// a cancelled operation is not an Error (async/task.hpp), so `catch (const Error&)` never swallows a cancellation.
class Error : public std::runtime_error {
 public:
  /// `message` is for a person: which object, what happened. It must not hold secrets.
  Error(Code code, std::string message);

  Code code() const { return code_; }
  /// The innermost message, without the context frames.
  const std::string& message() const { return message_; }
  /// The HTTP status the failure came with, 0 if it did not come from HTTP.
  int http_status() const { return http_status_; }
  /// How long the peer asked us to wait before the next try.
  std::optional<std::chrono::milliseconds> retry_after() const { return retry_after_; }

  Error& with_http_status(int status);
  Error& with_retry_after(std::chrono::milliseconds delay);
  /// Puts what was being done in front: "list pods in shop: connection reset".
  Error& with_context(std::string_view doing);

  /// "context: context: message".
  const char* what() const noexcept override { return text_.c_str(); }

  /// True for failures that may disappear by themselves: kThrottled, kUnavailable, kTimeout.
  bool transient() const;

 private:
  Code code_;
  std::string message_;
  std::string text_;
  int http_status_ = 0;
  std::optional<std::chrono::milliseconds> retry_after_;
};

}  // namespace mtc
