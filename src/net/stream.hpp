#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "async/task.hpp"

namespace mtc::net {

/// A two-way byte stream: TCP, TLS, a tunnel through a proxy, or a pipe in memory. The one seam below HTTP.
///
/// At most one read and one write may be outstanding at a time. Failures are Error(kUnavailable) for refused, reset and
/// unreachable peers, Error(kTls) for what TLS refuses. A cancelled read or write leaves the stream unusable: close it.
/// Destruction closes.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Reads at least one byte into `into` (not empty); 0 means the peer closed its side in an orderly way. A TLS peer
  /// that vanishes without close_notify is Error(kUnavailable), so a cut-off body is never taken for a whole one.
  virtual Task<std::size_t> read_some(std::span<char> into) = 0;
  /// Writes all of `data`, which must stay valid until the task ends.
  virtual Task<void> write_all(std::string_view data) = 0;
  /// Ends both directions; TLS says goodbye first, briefly. Fails only by cancellation, and closes then too.
  virtual Task<void> close() = 0;
  /// False if the peer has closed, or sent something that was not read yet. Asked of a connection that lay idle, before
  /// the next request goes out on it; what cannot tell says true.
  virtual bool quiet() const { return true; }
  /// "10.90.0.11:6443", for messages.
  virtual std::string peer() const = 0;
};

using StreamPtr = std::unique_ptr<Stream>;

/// Two ends of a pipe in memory: what one writes the other reads. `capacity` bytes are buffered before a writer waits.
std::pair<StreamPtr, StreamPtr> make_pipe(std::size_t capacity = 64 * 1024);

/// `stream`, whose reads first give `prefix`: what was read too much before another protocol took over.
StreamPtr with_prefix(std::string prefix, StreamPtr stream);

}  // namespace mtc::net
