#include "http/wire.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/error.hpp"

namespace mtc::http {
namespace {

constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::size_t kChunkLine = 1024;  ///< a chunk size with its extensions
constexpr std::size_t kTrailerBytes = 16 * 1024;

[[noreturn]] void cut_off() { throw Error(Code::kUnavailable, "the connection was cut off inside a message"); }

}  // namespace

Task<bool> WireReader::fill() {
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  } else if (at_ > kReadSize) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  const auto before = buffer_.size();
  buffer_.resize(before + kReadSize);
  std::size_t size = 0;
  std::exception_ptr failure;
  try {
    size = co_await stream_->read_some({buffer_.data() + before, kReadSize});
  } catch (...) {  // The buffer is made whole again first.
    failure = std::current_exception();
  }
  buffer_.resize(before + size);
  if (failure) std::rethrow_exception(failure);
  co_return size > 0;
}

Task<std::string> WireReader::head() {
  std::size_t searched = 0;
  for (;;) {
    const std::string_view have(buffer_.data() + at_, buffer_.size() - at_);
    const auto end = have.find("\r\n\r\n", searched);
    if (end != std::string_view::npos) {
      auto text = std::string(have.substr(0, end + 4));
      at_ += text.size();
      co_return text;
    }
    if (have.size() > limits_.head_bytes) {
      throw Error(Code::kInvalid, fmt::format("the message head is longer than {} bytes", limits_.head_bytes))
          .with_http_status(431);
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
    if (end != std::string_view::npos) {
      auto text = std::string(have.substr(0, end));
      at_ += end + 2;
      co_return text;
    }
    if (have.size() > limit)
      throw Error(Code::kInvalid, "malformed HTTP: a chunk line without end").with_http_status(400);
    if (!co_await fill()) cut_off();
  }
}

Task<std::string_view> WireReader::chunked() {
  if (!in_chunk_) {
    const auto text = co_await line(kChunkLine);
    const auto digits = std::string_view(text).substr(0, text.find_first_of("; \t"));
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
    if (digits.empty() || failed != std::errc{} || end != digits.data() + digits.size()) {
      throw Error(Code::kInvalid, "malformed HTTP: a chunk size that is no number").with_http_status(400);
    }
    if (left_ == 0) {
      std::size_t trailer = 0;
      for (auto field = co_await line(kTrailerBytes); !field.empty(); field = co_await line(kTrailerBytes)) {
        trailer += field.size();
        if (trailer > kTrailerBytes)
          throw Error(Code::kInvalid, "malformed HTTP: an endless trailer").with_http_status(400);
      }
      done_ = true;
      co_return std::string_view{};
    }
    in_chunk_ = true;
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
    if (take(2) != "\r\n")
      throw Error(Code::kInvalid, "malformed HTTP: a chunk longer than it said").with_http_status(400);
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

}  // namespace mtc::http
