#include "oci/upload.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

namespace mtc::oci {
namespace {

/// What is smaller travels with the request that ends the upload.
constexpr std::uint64_t kSmall = 64 * 1024;

/// How many bytes the registry says that it has: of "0-9", or "bytes=0-9", it is 10.
std::optional<std::uint64_t> received(const http::Headers& headers) {
  const auto text = headers.get("Range");
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::uint64_t last = 0;
  const auto* const end = text.data() + text.size();
  if (std::from_chars(text.data() + dash + 1, end, last).ec != std::errc{}) return std::nullopt;
  return last + 1;
}

/// The bytes of the origin from some place on, in requests of some length.
class Feed final : public http::BodySource {
 public:
  Feed(BlobReaderPtr reader, std::uint64_t at, std::function<void(std::uint64_t)> on_progress)
      : reader_(std::move(reader)), at_(at), end_(at), on_progress_(std::move(on_progress)) {}

  /// The next request carries what lies before `end`.
  void begin(std::uint64_t end) {
    length_ = end - at_;
    end_ = end;
  }
  std::uint64_t at() const { return at_; }
  /// What ended a request, if it was the origin.
  const std::optional<Error>& failure() const { return failure_; }

  Task<std::string_view> next() override {
    if (on_progress_) on_progress_(at_);
    if (at_ == end_) co_return std::string_view{};
    if (rest_.empty()) co_await fill();
    const auto piece = rest_.substr(0, end_ - at_);
    rest_.remove_prefix(piece.size());
    at_ += piece.size();
    co_return piece;
  }
  /// Requests that carry a source are never sent again as they are (Session::Call).
  void rewind() override { throw Error(Code::kInternal, "the source of an upload cannot be rewound"); }
  std::optional<std::uint64_t> size() const override { return length_; }

  /// Reads to the origin's end: there it says whether the bytes were right.
  Task<void> finish() {
    if (rest_.empty()) co_await fill();
  }

 private:
  Task<void> fill() {
    try {
      rest_ = co_await reader_->read();
    } catch (const Error& error) {
      failure_ = error;
      throw;
    }
  }

  BlobReaderPtr reader_;
  std::string_view rest_;
  std::uint64_t at_, end_;
  std::uint64_t length_ = 0;
  std::function<void(std::uint64_t)> on_progress_;
  std::optional<Error> failure_;
};

class Upload {
 public:
  Upload(std::shared_ptr<Session> session, std::string repository, Descriptor blob, BlobOrigin origin,
         std::function<void(std::uint64_t)> on_progress)
      : session_(std::move(session)),
        repository_(std::move(repository)),
        blob_(std::move(blob)),
        origin_(std::move(origin)),
        on_progress_(std::move(on_progress)) {}

  Task<void> run() {
    std::uint64_t farthest = 0;
    for (unsigned failures = 0;;) {
      std::optional<Error> failure;
      try {
        co_await attempt();
        co_return;
      } catch (const Error& error) {
        failure = error;
      }
      const bool may_pass = failure->transient() || is_lost(*failure);
      if (origin_failed() || !may_pass) co_return co_await end_with(*failure);
      if (at_ > farthest) failures = 0;
      farthest = std::max(farthest, at_);
      if (++failures >= session_->options().backoff.max_attempts) co_return co_await end_with(*failure);
      co_await pause(failures, *failure);
      if (co_await arrived(*failure)) co_return;
      co_await find_place();
    }
  }

 private:
  Session::Call call(std::string_view what, std::string method, std::string target) const {
    return {.doing = fmt::format("{} {} to {}", what, blob_.digest.str(), repository_),
            .method = std::move(method),
            .target = std::move(target),
            .scopes = session_->scope_of(repository_)};
  }

  /// Whether the registry has forgotten the upload, or does not know any more where it is.
  bool is_lost(const Error& error) const {
    return !location_.empty() && (error.http_status() == 404 || error.http_status() == 416 ||
                                  (error.http_status() == 400 && error.message().starts_with("BLOB_UPLOAD_INVALID")));
  }

  void move_to(const http::Response& response) {
    const auto location = response.headers.get("Location");
    if (!location.empty()) location_ = location;
  }

  Task<void> pause(unsigned failures, Error failure) {
    auto wait = session_->options().backoff.delay(failures, session_->rng());
    if (const auto asked = failure.retry_after()) wait = std::max<Duration>(wait, *asked);
    co_await async::sleep_for(wait);
  }

  Task<void> attempt() {
    if (blob_.size <= kSmall) co_return co_await send_whole();
    if (location_.empty()) at_ = 0;
    if (at_ < blob_.size) co_await open_feed();  // first: what the source lacks needs no upload
    if (location_.empty()) co_await begin();
    while (at_ < blob_.size) co_await send_chunk();
    if (feed_) co_await feed_->finish();
    co_await commit("");
  }

  bool origin_failed() const { return origin_failure_ || (feed_ && feed_->failure()); }

  Task<void> open_feed() {
    if (feed_ && feed_->at() == at_) co_return;
    try {
      feed_ = std::make_shared<Feed>(co_await origin_(at_), at_, on_progress_);
    } catch (const Error& error) {
      origin_failure_ = error;
      throw;
    }
  }

  Task<void> begin() {
    const auto response = co_await session_->attempt(
        call("begin the upload of", "POST", fmt::format("/v2/{}/blobs/uploads/", repository_)));
    move_to(response);
    if (location_.empty()) {
      throw Error(Code::kUnsupported,
                  fmt::format("{} began an upload to {} without a Location", session_->describe(), repository_));
    }
  }

  Task<std::string> read_whole() {
    try {
      std::string bytes;
      const auto reader = co_await origin_(0);
      for (auto piece = co_await reader->read(); !piece.empty(); piece = co_await reader->read()) bytes += piece;
      co_return bytes;
    } catch (const Error& error) {
      origin_failure_ = error;
      throw;
    }
  }

  Task<void> send_whole() {
    if (!whole_) whole_ = co_await read_whole();
    if (location_.empty()) co_await begin();
    if (on_progress_) on_progress_(whole_->size());
    co_await commit(*whole_);
  }

  Task<void> send_chunk() {
    const auto most = session_->options().upload_chunk;
    const auto end = most == 0 ? blob_.size : std::min(blob_.size, at_ + most);
    feed_->begin(end);
    auto patch = call("upload", "PATCH", location_);
    patch.headers.set("Content-Type", "application/octet-stream");
    // One request is a stream; only pieces of a blob say where they belong.
    if (at_ > 0 || end < blob_.size) patch.headers.set("Content-Range", fmt::format("{}-{}", at_, end - 1));
    patch.source = feed_;
    const auto response = co_await session_->attempt(std::move(patch));
    move_to(response);
    const auto has = received(response.headers).value_or(end);
    if (has < end) {
      throw Error(Code::kUnavailable,
                  fmt::format("{} kept {} of {} bytes of {}", session_->describe(), has, end, blob_.digest.str()));
    }
    at_ = end;
  }

  Task<void> commit(std::string bytes) {
    const auto separator = location_.find('?') == std::string::npos ? '?' : '&';
    auto put = call("end the upload of", "PUT",
                    fmt::format("{}{}digest={}", location_, separator, percent_encode(blob_.digest.str())));
    if (!bytes.empty()) put.headers.set("Content-Type", "application/octet-stream");
    put.body = std::move(bytes);
    const auto response = co_await session_->attempt(std::move(put));
    const auto stored = response.headers.get("Docker-Content-Digest");
    if (Digest::parse(stored) && Digest::parse(stored)->kind() == blob_.digest.kind() && stored != blob_.digest.str()) {
      throw Error(Code::kCorrupt, fmt::format("{} stored {} of {} as {}", session_->describe(), blob_.digest.str(),
                                              repository_, stored));
    }
  }

  /// Whether it is there all the same: the answer may have been what was lost.
  Task<bool> arrived(Error failure) {
    if (at_ < blob_.size && blob_.size > kSmall) co_return false;
    if (failure.http_status() == 401 || failure.http_status() == 429) co_return false;
    const auto response = co_await session_->call(
        call("look for", "HEAD", fmt::format("/v2/{}/blobs/{}", repository_, blob_.digest.str())), {404});
    co_return response.status == 200;
  }

  /// Asks where the upload is; begins again if nobody knows.
  Task<void> find_place() {
    feed_ = nullptr;
    if (location_.empty()) co_return;
    std::optional<Error> failure;
    std::optional<std::uint64_t> has;
    try {
      const auto response = co_await session_->call(call("look up the upload of", "GET", location_));
      move_to(response);
      has = received(response.headers);
      // Of an upload without a byte some say "0-0".
      if (has && *has <= 1) has = 0;
    } catch (const Error& error) {
      if (error.transient()) failure = error;
    }
    if (failure) throw *failure;
    if (!has || *has > blob_.size || blob_.size <= kSmall) {
      co_await give_up(session_, repository_, std::exchange(location_, ""));
      at_ = 0;
    } else {
      at_ = *has;
    }
  }

  Task<void> end_with(Error failure) {
    if (!location_.empty()) co_await give_up(session_, repository_, location_);
    throw Error(failure);
  }

  std::shared_ptr<Session> session_;
  std::string repository_;
  Descriptor blob_;
  BlobOrigin origin_;
  std::function<void(std::uint64_t)> on_progress_;
  std::string location_;  ///< "" before it began and after it was forgotten
  std::uint64_t at_ = 0;  ///< what the registry has
  std::shared_ptr<Feed> feed_;
  std::optional<std::string> whole_;  ///< a small blob
  std::optional<Error> origin_failure_;
};

}  // namespace

Task<void> upload_blob(std::shared_ptr<Session> session, std::string repository, Descriptor blob, BlobOrigin origin,
                       std::function<void(std::uint64_t)> on_progress) {
  Upload upload(std::move(session), std::move(repository), std::move(blob), std::move(origin), std::move(on_progress));
  co_await upload.run();
}

Task<void> give_up(std::shared_ptr<Session> session, std::string repository, std::string location) {
  try {
    co_await session->attempt({.doing = "give up an upload to " + repository,
                               .method = "DELETE",
                               .target = std::move(location),
                               .scopes = session->scope_of(repository)},
                              {404});
  } catch (const Error& error) {
    log::debug("an unfinished upload stays in the registry until it is cleaned up", {{"error", error.what()}});
  }
}

}  // namespace mtc::oci
