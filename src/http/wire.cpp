#include "http/wire.hpp"

#include <algorithm>
#include <charconv>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"

namespace mtc::http {
namespace {

constexpr std::size_t kMostRead = 64 * 1024;
constexpr std::size_t kWritePiece = 1024 * 1024;
constexpr std::size_t kChunkLine = 1024;  ///< a chunk size with its extensions
constexpr std::size_t kTrailerBytes = 16 * 1024;
constexpr std::uint64_t kMostChunk = std::uint64_t{1} << 60;

[[noreturn]] void cut_off() { throw Error(Code::kUnavailable, "the connection was cut off inside a message"); }

[[noreturn]] void malformed(std::string_view what) {
  throw Error(Code::kInvalid, fmt::format("malformed HTTP: {}", what)).with_http_status(400);
}

}  // namespace

Task<void> write_within(net::Stream* stream, std::string_view data, Duration stall) {
  while (!data.empty()) {
    const auto piece = data.substr(0, kWritePiece);
    co_await async::with_timeout(stall, "write to " + stream->peer(), stream->write_all(piece));
    data.remove_prefix(piece.size());
  }
}

Task<bool> WireReader::fill() {
  buffer_.erase(0, std::exchange(at_, 0));
  const auto before = buffer_.size();
  buffer_.resize(before + read_size_);
  std::size_t size = 0;
  std::exception_ptr failure;
  try {
    size = co_await stream_->read_some({buffer_.data() + before, read_size_});
  } catch (...) {  // The buffer is made whole again first.
    failure = std::current_exception();
  }
  buffer_.resize(before + size);
  if (failure) std::rethrow_exception(failure);
  // A bulk of data gets larger reads; the many connections that carry little stay small.
  if (size == read_size_) read_size_ = std::min(2 * read_size_, kMostRead);
  co_return size > 0;
}

Task<std::string> WireReader::head() {
  std::size_t searched = 0;
  for (;;) {
    const std::string_view have(buffer_.data() + at_, buffer_.size() - at_);
    const auto end = have.find("\r\n\r\n", searched);
    if (std::min(end, have.size()) > limits_.head_bytes) {
      throw Error(Code::kInvalid, fmt::format("the message head is longer than {} bytes", limits_.head_bytes))
          .with_http_status(431);
    }
    if (end != std::string_view::npos) {
      auto text = std::string(have.substr(0, end + 4));
      at_ += text.size();
      co_return text;
    }
    searched = have.size() < 3 ? 0 : have.size() - 3;
    const bool nothing_yet = have.empty();
    if (!co_await fill()) {
      if (nothing_yet) co_return "";
      cut_off();
    }
  }
}

void WireReader::begin_body(BodyFraming framing) {
  framing_ = framing;
  left_ = framing.length;
  in_chunk_ = false;
  done_ = framing.kind == BodyFraming::Kind::kNone;
}

std::string_view WireReader::take(std::uint64_t most) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(most, buffer_.size() - at_));
  const std::string_view piece(buffer_.data() + at_, size);
  at_ += size;
  return piece;
}

Task<std::string_view> WireReader::body() {
  if (done_) co_return std::string_view{};
  if (framing_.kind == BodyFraming::Kind::kChunked) co_return co_await chunked();
  if (at_ == buffer_.size() && !co_await fill()) {
    if (framing_.kind != BodyFraming::Kind::kUntilClose) cut_off();
    done_ = true;
    co_return std::string_view{};
  }
  if (framing_.kind == BodyFraming::Kind::kUntilClose) co_return take(buffer_.size());
  const auto piece = take(left_);
  left_ -= piece.size();
  done_ = left_ == 0;
  co_return piece;
}

Task<std::string> WireReader::line(std::size_t limit) {
  for (;;) {
    const std::string_view have(buffer_.data() + at_, buffer_.size() - at_);
    const auto end = have.find("\r\n");
    if (std::min(end, have.size()) > limit) malformed("a chunk line without end");
    if (end != std::string_view::npos) {
      auto text = std::string(have.substr(0, end));
      at_ += end + 2;
      co_return text;
    }
    if (!co_await fill()) cut_off();
  }
}

Task<void> WireReader::begin_chunk() {
  const auto text = co_await line(kChunkLine);
  const auto digits = std::string_view(text).substr(0, text.find_first_of("; \t"));
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
  if (failed != std::errc{} || end != digits.data() + digits.size()) malformed("a chunk size that is no number");
  if (left_ > kMostChunk) malformed("a chunk size beyond all measure");
  if (text.find_first_of("\r\n") != std::string::npos) malformed("a bare CR or LF");
  in_chunk_ = left_ > 0;
}

Task<void> WireReader::skip_trailer() {
  std::size_t total = 0;
  for (auto field = co_await line(kTrailerBytes); !field.empty(); field = co_await line(kTrailerBytes)) {
    total += field.size();
    if (total > kTrailerBytes) malformed("an endless trailer");
  }
}

Task<std::string_view> WireReader::chunked() {
  if (!in_chunk_) co_await begin_chunk();
  if (!in_chunk_) {
    co_await skip_trailer();
    done_ = true;
    co_return std::string_view{};
  }
  // The CRLF behind a chunk is read before its last piece is handed out, so that the piece stays valid and the end is
  // checked.
  while (buffer_.size() - at_ < std::min<std::uint64_t>(left_ + 2, 3)) {
    if (!co_await fill()) cut_off();
  }
  const auto have = buffer_.size() - at_;
  if (have >= left_ + 2) {
    const auto piece = take(left_);
    left_ = 0;
    in_chunk_ = false;
    if (take(2) != "\r\n") malformed("a chunk longer than it said");
    co_return piece;
  }
  const auto piece = take(std::min<std::uint64_t>(left_ - 1, have - 2));
  left_ -= piece.size();
  co_return piece;
}

std::string WireReader::take_rest() {
  auto rest = buffer_.substr(at_);
  buffer_.clear();
  at_ = 0;
  return rest;
}

void WireReader::shrink() {
  if (has_rest()) return;
  std::string().swap(buffer_);
  at_ = 0;
  read_size_ = kFirstRead;
}

}  // namespace mtc::http
