#include "blob/s3_upload.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "blob/s3_xml.hpp"

namespace mtc::blob {
namespace {

// docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
constexpr std::uint64_t kSmallestPart = 5 * 1024 * 1024;
constexpr std::size_t kMostParts = 10'000;

class S3Upload final : public Writer {
 public:
  S3Upload(std::shared_ptr<Bucket> bucket, std::string key) : bucket_(std::move(bucket)), key_(std::move(key)) {}
  ~S3Upload() override {
    if (!id_.empty()) bucket_->abandon(key_, id_);
  }

  Task<void> write(std::string_view data) override {
    while (!data.empty()) {
      if (part_.size() == part_size()) co_await send_part();
      const auto piece = data.substr(0, part_size() - part_.size());
      part_ += piece;
      data.remove_prefix(piece.size());
    }
  }

  Task<ObjectInfo> commit() override {
    if (id_.empty()) co_return co_await put_whole();
    co_await send_part();
    const auto etag = co_await complete();
    id_.clear();
    co_return ObjectInfo{key_, sent_, etag, {}};
  }

  Task<void> abort() override {
    part_.clear();
    if (!id_.empty()) bucket_->abandon(key_, std::exchange(id_, ""));
    co_await bucket_->abort_abandoned();
  }

 private:
  /// Grows by the configured size every thousand parts, so that ten thousand of 16 MiB hold 880 GB.
  std::uint64_t part_size() const {
    return std::max(bucket_->options().part_size, kSmallestPart) * (1 + etags_.size() / 1000);
  }

  Bucket::Call call(std::string doing, std::string method, http::Query query, std::string body) const {
    return {.doing = std::move(doing),
            .method = std::move(method),
            .key = key_,
            .query = std::move(query),
            .body = std::make_shared<const std::string>(std::move(body))};
  }

  Task<ObjectInfo> put_whole() {
    const auto size = part_.size();
    const auto response = co_await bucket_->call(call("write " + key_, "PUT", {}, std::exchange(part_, {})));
    co_return ObjectInfo{key_, size, unquoted(response.headers.get("ETag")), {}};
  }

  Task<void> begin() {
    const auto response = co_await bucket_->call(call("begin the upload of " + key_, "POST", {{"uploads", ""}}, ""));
    id_ = xml_text(response.body, "UploadId");
    if (id_.empty()) {
      throw Error(Code::kUnsupported,
                  fmt::format("{} began the upload of {} without an UploadId", bucket_->describe(), key_));
    }
  }

  Task<void> send_part() {
    if (id_.empty()) co_await begin();
    if (etags_.size() == kMostParts) {
      throw Error(Code::kInvalid,
                  fmt::format("{} is too large for {} parts of an upload: configure larger parts", key_, kMostParts));
    }
    const auto number = etags_.size() + 1;
    const auto size = part_.size();
    const auto response = co_await bucket_->call(call(fmt::format("write part {} of {}", number, key_), "PUT",
                                                      {{"partNumber", std::to_string(number)}, {"uploadId", id_}},
                                                      std::exchange(part_, {})));
    sent_ += size;
    etags_.push_back(unquoted(response.headers.get("ETag")));
  }

  /// The ETag of the object that the parts became.
  Task<std::string> complete() {
    std::string list = "<CompleteMultipartUpload>";
    for (std::size_t i = 0; i < etags_.size(); ++i) {
      list += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>\"{}\"</ETag></Part>", i + 1, xml_escape(etags_[i]));
    }
    list += "</CompleteMultipartUpload>";
    std::optional<Error> failure;
    try {
      const auto response =
          co_await bucket_->call(call("complete the upload of " + key_, "POST", {{"uploadId", id_}}, std::move(list)));
      co_return unquoted(xml_text(response.body, "ETag"));
    } catch (const Error& error) {
      failure = error;
    }
    // If the answer to an earlier attempt was lost on the way, the upload is gone and the object is there.
    if (failure->code() == Code::kNotFound) {
      const auto response = co_await bucket_->call({.doing = "look up " + key_, .method = "HEAD", .key = key_}, {404});
      const auto etag = unquoted(response.headers.get("ETag"));
      const bool is_ours = response.status == 200 && etag.ends_with(fmt::format("-{}", etags_.size())) &&
                           response.headers.get("Content-Length") == std::to_string(sent_);
      if (is_ours) co_return etag;
    }
    throw *failure;
  }

  std::shared_ptr<Bucket> bucket_;
  std::string key_;
  std::string part_;
  std::string id_;  ///< of the multipart upload; "" before it began and after it ended
  std::vector<std::string> etags_;
  std::uint64_t sent_ = 0;
};

}  // namespace

std::unique_ptr<Writer> make_s3_upload(std::shared_ptr<Bucket> bucket, std::string key) {
  return std::make_unique<S3Upload>(std::move(bucket), std::move(key));
}

}  // namespace mtc::blob
