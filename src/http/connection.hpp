#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "http/message.hpp"
#include "http/wire.hpp"
#include "net/stream.hpp"

namespace mtc::http {

/// One connection of a client: carries requests and their answers, one after the other.
class Connection {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  Connection(net::StreamPtr stream, const WireLimits& limits);

  /// How long a peer may be silent.
  struct Patience {
    Duration taking;     ///< a piece of the request
    Duration answering;  ///< from the last byte sent to the head of the answer
  };
  struct Answer {
    ResponseHead head;
    int minor_version = 1;
    bool whole_request_sent = true;  ///< false if the peer answered, and closed, before it had read everything
  };
  /// Sends `head` (as serialized) and the body of `request`, which must outlive the task, and reads the head of the
  /// final answer; interim answers (1xx) are passed over. Throws Error(kUnavailable) if the connection breaks, kTimeout
  /// beyond `patience`, kCorrupt for an answer that is no HTTP, and what the body's source throws.
  Task<Answer> exchange(std::string head, const Request* request, Patience patience);

  WireReader& reader() { return reader_; }
  /// Whether another request may go out: nothing unasked for has arrived and the peer has not closed.
  bool quiet() const { return !reader_.has_rest() && stream_->quiet(); }

  void lie_idle(Instant since);
  Instant idle_since() const { return idle_since_; }

  /// The raw stream, for a protocol that takes over; the connection is of no use any more.
  net::StreamPtr take_stream();

 private:
  Task<void> send(std::string head, const Request* request, Duration stall);
  Task<void> send_source(std::string head, std::shared_ptr<BodySource> source, Duration stall);
  Task<Answer> read_answer(Duration limit);

  net::StreamPtr stream_;
  WireReader reader_;
  Instant idle_since_{};
};
using ConnectionPtr = std::unique_ptr<Connection>;

/// What a client makes of an Error of its WireReader: a malformed answer is kCorrupt, and no fault of the request.
Error as_seen_by_client(const Error& error);

}  // namespace mtc::http
