#include "oci/blob_reader.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"

namespace mtc::oci {
namespace {

/// Where a partial answer begins: of "bytes 10-19/20" it is 10.
std::optional<std::uint64_t> start_of(std::string_view content_range) {
  constexpr std::string_view unit = "bytes ";
  if (!content_range.starts_with(unit)) return std::nullopt;
  content_range.remove_prefix(unit.size());
  std::uint64_t start = 0;
  const auto [end, failed] = std::from_chars(content_range.data(), content_range.data() + content_range.size(), start);
  if (failed != std::errc{}) return std::nullopt;
  return start;
}

class SessionBlobReader final : public BlobReader {
 public:
  SessionBlobReader(std::shared_ptr<Session> session, std::string repository, Descriptor blob, std::uint64_t offset)
      : session_(std::move(session)), repository_(std::move(repository)), blob_(std::move(blob)), at_(offset) {
    if (offset == 0) verifier_.emplace(blob_.digest);
  }

  Task<void> open() {
    stream_ = nullptr;
    skip_ = 0;
    if (at_ > blob_.size) fail(Code::kInvalid, fmt::format("there is nothing at {} of {} bytes", at_, blob_.size));
    auto call = this->call();
    if (at_ > 0) call.headers.set("Range", fmt::format("bytes={}-", at_));
    auto stream = co_await session_->open(std::move(call), {416});
    const auto& head = stream->head();
    if (head.status == 416) {
      if (at_ < blob_.size) fail(Code::kCorrupt, fmt::format("it ends before {} of {} bytes", at_, blob_.size));
      co_return finish();
    }
    if (head.status != 206) {
      skip_ = at_;  // the range was ignored
    } else if (start_of(head.headers.get("Content-Range")) != at_) {
      fail(Code::kCorrupt, fmt::format("asked for what follows byte {}, the registry sends something else", at_));
    }
    stream_ = std::move(stream);
  }

  Task<std::string_view> read() override {
    for (unsigned failures = 0;;) {
      if (done_) co_return std::string_view{};
      std::optional<Error> failure;
      try {
        if (!stream_) co_await open();
        const auto piece = co_await next();
        if (!piece.empty() || done_) co_return piece;
      } catch (const Error& error) {
        failure = error;
      }
      stream_ = nullptr;
      const auto& backoff = session_->options().backoff;
      if (!failure->transient() || ++failures >= backoff.max_attempts) throw *failure;
      co_await async::sleep_for(backoff.delay(failures, session_->rng()));
    }
  }

 private:
  Session::Call call() const {
    return {.doing = fmt::format("read {} of {}", blob_.digest.str(), repository_),
            .target = fmt::format("/v2/{}/blobs/{}", repository_, blob_.digest.str()),
            .scopes = session_->scope_of(repository_)};
  }

  [[noreturn]] void fail(Code code, std::string text) const {
    throw session_->failed(Error(code, std::move(text)), call());
  }

  Task<std::string_view> piece() {
    std::optional<Error> failure;
    try {
      co_return co_await stream_->read(session_->options().silence_limit);
    } catch (const Error& error) {
      failure = error;
    }
    throw session_->failed(*failure, call());
  }

  /// The next bytes that the caller has not had; empty at the end.
  Task<std::string_view> next() {
    for (;;) {
      auto bytes = co_await piece();
      if (bytes.empty()) {
        if (at_ < blob_.size) fail(Code::kUnavailable, fmt::format("it ends at {} of {} bytes", at_, blob_.size));
        finish();
        co_return bytes;
      }
      const auto known = std::min<std::uint64_t>(skip_, bytes.size());
      skip_ -= known;
      bytes.remove_prefix(known);
      if (bytes.empty()) continue;
      if (bytes.size() > blob_.size - at_) fail(Code::kCorrupt, fmt::format("it is longer than {} bytes", blob_.size));
      at_ += bytes.size();
      if (verifier_) verifier_->update(bytes);
      co_return bytes;
    }
  }

  void finish() {
    done_ = true;
    stream_ = nullptr;
    if (verifier_ && !verifier_->matches()) fail(Code::kCorrupt, "what the registry sends has another digest");
  }

  std::shared_ptr<Session> session_;
  std::string repository_;
  Descriptor blob_;
  std::uint64_t at_;
  std::uint64_t skip_ = 0;  ///< of the current answer, that was read before
  std::optional<DigestVerifier> verifier_;
  http::ResponseStreamPtr stream_;
  bool done_ = false;
};

}  // namespace

Task<BlobReaderPtr> open_blob_reader(std::shared_ptr<Session> session, std::string repository, Descriptor blob,
                                     std::uint64_t offset) {
  auto reader = std::make_unique<SessionBlobReader>(std::move(session), std::move(repository), std::move(blob), offset);
  co_await reader->open();
  co_return reader;
}

}  // namespace mtc::oci
