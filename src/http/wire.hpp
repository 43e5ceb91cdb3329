#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "http/message.hpp"
#include "net/stream.hpp"

namespace mtc::http {

/// Limits of one message head.
struct WireLimits {
  std::size_t head_bytes = 64 * 1024;
  std::size_t fields = 256;
};

struct RequestHead {
  std::string method;
  std::string target;
  Headers headers;
  int minor_version = 1;  ///< HTTP/1.minor
};

/// How a body is delimited (RFC 9112 §6.3).
struct BodyFraming {
  enum class Kind { kNone, kLength, kChunked, kUntilClose } kind = Kind::kNone;
  std::uint64_t length = 0;
};

// These throw Error(kInvalid, http_status 400) for heads that are malformed or that two parsers could read in two ways
// (request smuggling): bare CR or LF, obsolete folding, blanks before a colon, both Content-Length and
// Transfer-Encoding, differing lengths, no or two Hosts.
RequestHead parse_request_head(std::string_view text, const WireLimits& limits);
ResponseHead parse_response_head(std::string_view text, const WireLimits& limits, int* minor_version = nullptr);
BodyFraming request_framing(const RequestHead& head);
BodyFraming response_framing(const ResponseHead& head, std::string_view request_method);
/// True if a field `name` lists `token` (RFC 9110 §5.6.1), without case.
bool has_token(const Headers& headers, std::string_view name, std::string_view token);
/// Whether the connection may carry another message.
bool keeps_alive(const Headers& headers, int minor_version);

/// "Name: value\r\n" lines and the empty line. Throws Error(kInvalid) for a name or value that would break the head.
std::string serialize_headers(const Headers& headers);
/// The same with the request line in front, with the same care for method and target.
std::string serialize_request_head(std::string_view method, std::string_view target, const Headers& headers);

/// Writes all of `data`, which must stay valid until the task ends. Error(kTimeout) if the peer needs longer than
/// `stall` to take a piece of it (a mebibyte).
Task<void> write_within(net::Stream* stream, std::string_view data, Duration stall);

/// Reads messages from a stream: heads, and bodies by their framing. Keeps what it read too much for the next message.
/// The stream must outlive it.
class WireReader {
 public:
  explicit WireReader(net::Stream* stream, WireLimits limits = {}) : stream_(stream), limits_(limits) {}

  /// The bytes of the next head, with its empty line; "" if the peer closed before the first byte. Error(kUnavailable)
  /// if it closed inside, Error(kInvalid, http_status 431) beyond the limit.
  Task<std::string> head();
  /// Starts a body; read it to its end with body().
  void begin_body(BodyFraming framing);
  /// The next piece (valid until the next call); empty at the end. Error(kUnavailable) if the peer closes early,
  /// Error(kInvalid, http_status 400) for malformed chunks.
  Task<std::string_view> body();
  bool body_done() const { return done_; }
  /// True if bytes were read that belong to nothing asked for yet.
  bool has_rest() const { return at_ < buffer_.size(); }
  /// What was read beyond the last message, for a protocol that takes over.
  std::string take_rest();
  /// Frees the buffer while the connection lies idle.
  void shrink();

 private:
  Task<bool> fill();
  Task<std::string> line(std::size_t limit);
  std::string_view take(std::uint64_t most);
  Task<std::string_view> chunked();
  Task<void> begin_chunk();
  Task<void> skip_trailer();

  static constexpr std::size_t kFirstRead = 8 * 1024;

  net::Stream* stream_;
  WireLimits limits_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::size_t read_size_ = kFirstRead;
  BodyFraming framing_;
  std::uint64_t left_ = 0;  ///< of the body, or of the current chunk
  bool in_chunk_ = false;
  bool done_ = true;
};

}  // namespace mtc::http
