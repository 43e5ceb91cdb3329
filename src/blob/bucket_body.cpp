#include "blob/bucket_body.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/hash.hpp"
#include "base/strings.hpp"
#include "blob/bucket_answer.hpp"

namespace mtc::blob {
namespace {

/// A signed chunk is held in memory until its signature is known to be right.
constexpr std::uint64_t kLargestSignedChunk = 16 * 1024 * 1024;
constexpr std::size_t kLongestLine = 4096;
constexpr int kMostTrailers = 16;

std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value, base);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return value;
}

class PlainBody final : public UploadBody {
 public:
  explicit PlainBody(http::ServerRequest* request) : request_(request) {}
  Task<std::string_view> read() override { return request_->read_body(); }

 private:
  http::ServerRequest* request_;
};

class HashedBody final : public UploadBody {
 public:
  HashedBody(http::ServerRequest* request, std::string hash) : request_(request), hash_(std::move(hash)) {}

  Task<std::string_view> read() override {
    const auto piece = co_await request_->read_body();
    if (!piece.empty()) {
      sum_.update(piece);
    } else if (hex(sum_.finish()) != hash_) {
      throw Refusal(400, "XAmzContentSHA256Mismatch",
                    "The provided 'x-amz-content-sha256' header does not match what was computed.");
    }
    co_return piece;
  }

 private:
  http::ServerRequest* request_;
  std::string hash_;
  Sha256 sum_;
};

/// chunk = hex-size [";chunk-signature=" hex] CRLF bytes CRLF; the last has no bytes, and trailers may follow it.
class ChunkedBody final : public UploadBody {
 public:
  enum class Trailers { kNo, kYes };
  /// `key`: null for unsigned chunks.
  ChunkedBody(http::ServerRequest* request, const VerifiedRequest& verified, std::optional<SigningKey> key,
              Trailers trailers)
      : request_(request),
        previous_(verified.signature),
        date_(verified.date),
        key_(std::move(key)),
        trailers_(trailers),
        announced_(number(request->headers.get("x-amz-decoded-content-length"), 10)) {}

  Task<std::string_view> read() override {
    buffer_.erase(0, std::exchange(used_, 0));
    if (ended_) co_return std::string_view{};
    if (chunk_left_ == 0) co_await begin_chunk();
    if (ended_) co_return std::string_view{};
    if (buffer_.empty()) co_await fill();
    used_ = std::min<std::uint64_t>(buffer_.size(), chunk_left_);
    chunk_left_ -= used_;
    seen_ += used_;
    if (chunk_left_ == 0) after_chunk_ = true;
    co_return std::string_view(buffer_).substr(0, used_);
  }

 private:
  [[noreturn]] static void incomplete() {
    throw Refusal(400, "IncompleteBody", "The chunks of the body are not what their sizes and signatures say.");
  }

  Task<void> fill() {
    const auto piece = co_await request_->read_body();
    if (piece.empty()) incomplete();
    buffer_ += piece;
  }

  Task<std::string> line() {
    auto end = buffer_.find("\r\n");
    while (end == std::string::npos) {
      if (buffer_.size() > kLongestLine) incomplete();
      co_await fill();
      end = buffer_.find("\r\n");
    }
    auto text = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    co_return text;
  }

  Task<void> begin_chunk() {
    if (std::exchange(after_chunk_, false) && !(co_await line()).empty()) incomplete();
    const auto head = co_await line();
    const auto semicolon = head.find(';');
    const auto size = number(std::string_view(head).substr(0, semicolon), 16);
    if (!size) incomplete();
    if (key_) co_await check_chunk(*size, semicolon == std::string::npos ? "" : head.substr(semicolon + 1));
    chunk_left_ = *size;
    if (*size == 0) co_await finish();
  }

  Task<void> check_chunk(std::uint64_t size, std::string extension) {
    if (size > kLargestSignedChunk) {
      throw Refusal(400, "InvalidRequest", fmt::format("Chunks may have at most {} bytes.", kLargestSignedChunk));
    }
    while (buffer_.size() < size) co_await fill();
    const auto expected = chunk_signature(previous_, std::string_view(buffer_).substr(0, size), *key_, date_);
    if (extension != "chunk-signature=" + expected) {
      throw Refusal(403, "SignatureDoesNotMatch", "The signature of a chunk does not match.");
    }
    previous_ = expected;
  }

  Task<void> finish() {
    ended_ = true;
    for (int lines = 0; !(co_await line()).empty(); ++lines) {
      if (trailers_ == Trailers::kNo || lines == kMostTrailers) incomplete();
    }
    if (announced_ && *announced_ != seen_) incomplete();
    if (!buffer_.empty() || !(co_await request_->read_body()).empty()) incomplete();
  }

  http::ServerRequest* request_;
  std::string previous_;
  std::string date_;
  std::optional<SigningKey> key_;
  Trailers trailers_;
  std::optional<std::uint64_t> announced_;
  std::string buffer_;            ///< what arrived and was not handed out
  std::size_t used_ = 0;          ///< of the buffer, by the last read
  std::uint64_t chunk_left_ = 0;  ///< of the current chunk
  std::uint64_t seen_ = 0;
  bool after_chunk_ = false;  ///< the line end behind a chunk is still to come
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<UploadBody> open_body(http::ServerRequest* request, const VerifiedRequest& verified, SigningKey key) {
  using Trailers = ChunkedBody::Trailers;
  const std::string_view payload = verified.payload;
  if (payload == kUnsignedPayload) return std::make_unique<PlainBody>(request);
  if (payload == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") {
    return std::make_unique<ChunkedBody>(request, verified, std::move(key), Trailers::kNo);
  }
  if (payload == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    return std::make_unique<ChunkedBody>(request, verified, std::move(key), Trailers::kYes);
  }
  if (payload == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    return std::make_unique<ChunkedBody>(request, verified, std::nullopt, Trailers::kYes);
  }
  if (payload.starts_with("STREAMING-")) {
    throw Refusal(501, "NotImplemented", fmt::format("A body that is signed as {} is not understood.", payload));
  }
  return std::make_unique<HashedBody>(request, std::string(payload));
}

}  // namespace mtc::blob
