#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "http/url.hpp"

namespace mtc::http {

/// Header fields in order; names compare without case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}
  /// The first value of `name`; "" if absent.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  /// Replaces all fields of that name.
  void set(std::string name, std::string value);
  void add(std::string name, std::string value);
  void remove(std::string_view name);
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }
  /// For logs: "Name: value, …" with "***" for credentials (Authorization, cookies, x-amz-security-token, …).
  std::string redacted() const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// Bytes that can be sent again: a retry or a redirect calls `rewind` and starts over.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// The next bytes (valid until the next call); empty at the end. What it throws ends the request.
  virtual Task<std::string_view> next() = 0;
  virtual void rewind() = 0;
  /// Total bytes, if known: then Content-Length is sent, else chunked transfer coding. More or fewer bytes than it says
  /// end the request with Error(kCorrupt).
  virtual std::optional<std::uint64_t> size() const = 0;
};

struct Request {
  std::string method = "GET";
  std::string target = "/";  ///< path and query, percent-encoded, as it goes on the wire
  Headers headers;
  std::string body;                    ///< used if `source` is null
  std::shared_ptr<BodySource> source;  ///< a streamed body
};

struct ResponseHead {
  int status = 0;
  std::string reason;
  Headers headers;
};

/// "Not Found" for 404; "Status" for codes without a phrase here.
std::string_view reason_phrase(int status);

/// What kind of failure an answer of `status`, 400 or more, is by itself.
Code code_of_status(int status);
/// Retry-After in seconds, at most a minute (a server that is asked too early says it again); nullopt if there is none,
/// or a date.
std::optional<std::chrono::seconds> retry_after(const Headers& headers);

/// What to check when no answer comes, by what is known.
struct Advice {
  std::string_view untrusted;  ///< kTls
  std::string_view unknown;    ///< kNotFound: nobody has that name
  std::string_view silent;     ///< kTimeout
  std::string_view closed;     ///< kUnavailable
};
/// `error` of a request that got no answer, with what to check; as it is if it has another code.
Error advised(const Error& error, const Advice& advice);

/// A response with its body in memory.
struct Response {
  int status = 200;
  std::string reason;
  Headers headers;
  std::string body;
};

}  // namespace mtc::http
