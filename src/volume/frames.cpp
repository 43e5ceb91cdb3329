#include "volume/frames.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include <fmt/format.h>
#include <zstd.h>

#include "base/error.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kHead = 8;
constexpr std::size_t kSample = 16 * 1024;
constexpr std::size_t kBuffer = 256 * 1024;
constexpr std::size_t kSpares = 8;
constexpr std::size_t kWorthKeeping = 64 * 1024;
constexpr int kLevel = 1;
/// Level 1 compresses some 600 MB/s on one core: a network that takes more than this gains nothing.
constexpr double kFastNetwork = 150e6;

std::string compressed(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const auto size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), kLevel);
  if (ZSTD_isError(size) != 0) throw Error(Code::kInternal, fmt::format("zstd: {}", ZSTD_getErrorName(size)));
  out.resize(size);
  return out;
}

bool shrinks(std::size_t from, std::size_t to) { return to < from / 5 * 4; }

}  // namespace

void pack(Frame& frame) {
  if (frame.packed || frame.payload.size() < 1024) return;
  const auto sample = std::string_view(frame.payload).substr(frame.payload.size() / 2, kSample);
  if (!shrinks(sample.size(), compressed(sample).size())) return;
  Writer head;
  head.u32(static_cast<std::uint32_t>(frame.payload.size())).raw(compressed(frame.payload));
  if (!shrinks(frame.payload.size(), head.bytes().size())) return;
  frame.payload = std::move(head.bytes());
  frame.packed = true;
}

void unpack(Frame& frame) {
  if (!frame.packed) return;
  Reader from(frame.payload);
  const auto size = from.u32();
  if (size > kMaxFrame) throw Error(Code::kCorrupt, "a compressed message is too long");
  std::string out(size, '\0');
  const auto packed = from.raw(from.left());
  const auto got = ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0 || got != size) throw Error(Code::kCorrupt, "a compressed message cannot be unpacked");
  frame.payload = std::move(out);
  frame.packed = false;
}

Task<void> Frames::write(Kind kind, std::string payload) { return write(Frame{kind, std::move(payload)}); }

Task<void> Frames::write(Frame frame) {
  if (frame.payload.size() > kMaxFrame) throw Error(Code::kUnsupported, "a message is too long for the protocol");
  const auto turn = co_await turn_.acquire();
  busy_ = true;
  const auto began = std::chrono::steady_clock::now();
  Writer head;
  head.u32(static_cast<std::uint32_t>(frame.payload.size())).u8(static_cast<std::uint8_t>(frame.kind));
  head.u8(frame.packed ? 1 : 0).u8(0).u8(0);
  if (frame.payload.size() <= 4096) {
    head.raw(frame.payload);
    co_await stream_->write_all(head.bytes());
  } else {
    co_await stream_->write_all(head.bytes());
    co_await stream_->write_all(frame.payload);
  }
  written_ += frame.payload.size();
  writing_ += std::chrono::steady_clock::now() - began;
  busy_ = false;
  give_back(std::move(frame.payload));
}

std::string Frames::spare() {
  if (spares_.empty()) return {};
  auto buffer = std::move(spares_.back());
  spares_.pop_back();
  return buffer;
}

void Frames::give_back(std::string buffer) {
  if (buffer.capacity() < kWorthKeeping || spares_.size() == kSpares) return;
  spares_.push_back(std::move(buffer));
}

bool Frames::slow() const {
  const auto seconds = std::chrono::duration<double>(writing_).count();
  return written_ > kChunk && static_cast<double>(written_) < kFastNetwork * seconds;
}

Duration Frames::waiting() const {
  return waits_since_ ? std::chrono::steady_clock::now() - *waits_since_ : Duration{};
}

Task<std::size_t> Frames::hear(std::span<char> into) {
  waits_since_ = std::chrono::steady_clock::now();
  const auto got = co_await stream_->read_some(into);
  waits_since_.reset();
  if (got == 0) throw Error(Code::kUnavailable, fmt::format("read from {}: the peer ended the connection", peer()));
  co_return got;
}

/// Sees to it that `size` bytes lie in the buffer.
Task<void> Frames::fill(std::size_t size) {
  if (buffer_.empty()) buffer_.resize(kBuffer);
  while (end_ - begin_ < size) {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    end_ += co_await hear(std::span(buffer_).subspan(end_));
  }
}

Task<Frame> Frames::read() {
  for (;;) {
    auto frame = co_await read_any();
    if (frame.kind != Kind::kAlive) co_return frame;
  }
}

Task<Frame> Frames::read_any() {
  co_await fill(kHead);
  Reader head(std::string_view(buffer_).substr(begin_, kHead));
  begin_ += kHead;
  const auto size = head.u32();
  const auto kind = head.u8();
  const auto flags = head.u8();
  if (size > kMaxFrame || kind < 1 || kind > static_cast<std::uint8_t>(kLastKind) || flags > 1 || head.u8() != 0 ||
      head.u8() != 0) {
    throw Error(Code::kCorrupt, fmt::format("{} sent what is no message of the volume protocol", peer()));
  }
  Frame frame{static_cast<Kind>(kind), size < kWorthKeeping ? std::string() : spare(), flags == 1};
  frame.payload.resize(size);
  std::size_t have = std::min<std::size_t>(size, end_ - begin_);
  std::memcpy(frame.payload.data(), buffer_.data() + begin_, have);
  begin_ += have;
  while (have < size) have += co_await hear(std::span(frame.payload).subspan(have));
  if (frame.kind == Kind::kFailure) throw_failure(frame.payload, peer());
  co_return frame;
}

Task<std::string> Frames::expect(Kind kind) {
  auto frame = co_await read();
  if (frame.kind != kind) throw Error(Code::kCorrupt, fmt::format("{} sent a message out of turn", peer()));
  unpack(frame);
  co_return std::move(frame.payload);
}

namespace {

Task<void> give_signs(Frames* lane, Duration every) {
  for (;;) {
    co_await async::sleep_for(every);
    if (!lane->busy()) co_await lane->write(Kind::kAlive, {});
  }
}

Task<void> watch(Frames* lane, Duration silence) {
  for (;;) {
    const auto left = silence - lane->waiting();
    if (left <= Duration{}) {
      const auto seconds = std::chrono::duration<double>(silence).count();
      throw Error(Code::kUnavailable, fmt::format("heard nothing from {} for {:g} s", lane->peer(), seconds));
    }
    co_await async::sleep_for(std::min(left, silence / 4));
  }
}

Task<void> then_end(Task<void> work, async::Scope* scope) {
  co_await std::move(work);
  scope->cancel();
}

}  // namespace

Task<void> attended(std::vector<Frames*> lanes, Duration silence, Task<void> work) {
  auto scope = co_await async::Scope::create();
  for (auto* lane : lanes) {
    scope.spawn(watch(lane, silence));
    scope.spawn_isolated(give_signs(lane, silence / 4), [](const std::exception_ptr&) {
      // A connection that broke: the work finds out by itself.
    });
  }
  scope.spawn(then_end(std::move(work), &scope));
  co_await scope.join();
}

}  // namespace mtc::volume
