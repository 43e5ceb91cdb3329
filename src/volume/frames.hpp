#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/scope.hpp"
#include "base/clock.hpp"
#include "net/stream.hpp"
#include "volume/wire.hpp"

namespace mtc::volume {

/// One message on its way: its kind, and its payload, which may be compressed.
struct Frame {
  Kind kind = Kind::kHello;
  std::string payload;
  bool packed = false;
};

/// Compresses the payload with zstd if a sample says that it shrinks by a fifth. Blocks; any thread.
void pack(Frame& frame);
/// Undoes pack. Throws Error(kCorrupt) if the content is not what it says or longer than kMaxFrame. Blocks; any thread.
void unpack(Frame& frame);

/// Messages over a stream: a head of 8 bytes (u32 length of the payload, u8 kind, u8 flags: 1 = zstd, u16 zero), then
/// the payload. One task may read while others write. Signs of life (see attended) are read over.
class Frames {
 public:
  explicit Frames(net::StreamPtr stream) : stream_(std::move(stream)) {}

  Task<void> write(Frame frame);
  /// Memory for a payload that was used before (fresh memory costs more than what is done with it), with whatever it
  /// held. What write() has sent comes back this way; give back what was read.
  std::string spare();
  void give_back(std::string buffer);
  Task<void> write(Kind kind, std::string payload);
  /// Throws Error(kCorrupt) for what is no frame, Error(kUnavailable) if the peer ends the stream, and what a kFailure
  /// says.
  Task<Frame> read();
  /// As read, but demands `kind`, unpacked.
  Task<std::string> expect(Kind kind);
  Task<void> close() { return stream_->close(); }
  std::string peer() const { return stream_->peer(); }
  /// How long a read has been waiting for the peer; 0 if none does.
  Duration waiting() const;
  /// True while a message is being written.
  bool busy() const { return busy_; }
  /// True if the network is so slow that compressing pays (measured while writing).
  bool slow() const;

 private:
  Task<std::size_t> hear(std::span<char> into);
  Task<void> fill(std::size_t size);
  Task<Frame> read_any();

  net::StreamPtr stream_;
  async::Semaphore turn_{1};  ///< to write
  bool busy_ = false;
  std::vector<std::string> spares_;
  std::optional<std::chrono::steady_clock::time_point> waits_since_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t written_ = 0;
  Duration writing_{};
};

/// Runs `work` over `lanes`. Meanwhile the peer gets a sign of life a quarter of `silence` after the other, however
/// long our disk takes; and if we wait for the peer and hear nothing for `silence`, `work` is cancelled and
/// Error(kUnavailable) thrown. Peers that vanish without a word are found out this way, also through tunnels that keep
/// our half open.
Task<void> attended(std::vector<Frames*> lanes, Duration silence, Task<void> work);

}  // namespace mtc::volume
