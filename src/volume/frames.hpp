#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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
/// the payload. One task may read while another writes.
class Frames {
 public:
  explicit Frames(net::StreamPtr stream) : stream_(std::move(stream)) {}

  Task<void> write(Frame frame);
  Task<void> write(Kind kind, std::string payload);
  /// Throws Error(kCorrupt) for what is no frame, Error(kUnavailable) if the peer ends the stream, and what a kFailure
  /// says.
  Task<Frame> read();
  /// As read, but demands `kind`, unpacked.
  Task<std::string> expect(Kind kind);
  Task<void> close() { return stream_->close(); }
  std::string peer() const { return stream_->peer(); }
  /// True if the network is so slow that compressing pays (measured while writing).
  bool slow() const;

 private:
  Task<void> fill(std::size_t size);

  net::StreamPtr stream_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t written_ = 0;
  Duration writing_{};
};

}  // namespace mtc::volume
