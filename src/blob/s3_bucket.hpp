#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/retry.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "blob/s3.hpp"
#include "blob/sigv4.hpp"
#include "http/client.hpp"

namespace mtc::blob {

/// The conversation with one bucket: addresses, signs, sends, tries again, and turns refusals into Errors that say what
/// was being done, where, and what to do.
class Bucket {
 public:
  /// Throws Error(kInvalid) for options that name no bucket.
  explicit Bucket(S3Options options);

  struct Call {
    std::string doing;  ///< for messages: "read backups/a"
    std::string method;
    std::string key;  ///< "" = the bucket itself
    http::Query query = {};
    http::Headers headers = {};
    std::shared_ptr<const std::string> body = nullptr;  ///< shared by all attempts; null = empty
  };

  /// The answer to `call` if its status is 2xx or among `fine`; everything else is thrown.
  Task<http::Response> call(Call call, std::vector<int> fine = {});
  /// The head of the answer to a GET, its body to be read; nullptr if the key is absent.
  Task<http::ResponseStreamPtr> open(Call call);
  /// Throws Error(kNotFound) if the bucket does not exist. Asks at most once: the answer to HEAD of an absent key looks
  /// the same as that of an absent bucket.
  Task<void> demand_bucket();

  /// Remembers an upload that nobody will finish; a destructor cannot wait for its end.
  void abandon(std::string key, std::string upload) { abandoned_.push_back({std::move(key), std::move(upload)}); }
  /// Aborts what was abandoned, best effort.
  Task<void> abort_abandoned();

  /// Between attempts.
  async::Backoff backoff() const;
  /// "bucket velero at https://minio:9000".
  std::string describe() const;
  const S3Options& options() const { return options_; }
  Rng& rng() const { return options_.rng != nullptr ? *options_.rng : system_rng(); }

 private:
  struct Upload {
    std::string key, id;
  };

  Task<std::string> payload_hash(Call call) const;
  http::Request request_of(const Call& call, const std::string& payload_hash) const;
  Task<http::Response> attempt(Call call, std::string payload_hash, std::vector<int> fine);
  Task<http::ResponseStreamPtr> attempt_open(Call call, std::string payload_hash);
  Error refused(const http::Response& response, const Call& call) const;
  Error failed(const Error& error, const Call& call) const;

  S3Options options_;
  const Clock& clock_;
  std::string root_;  ///< what comes before the key in paths: "/bucket", or "" in virtual-host style
  http::Client http_;
  bool exists_ = false;
  std::vector<Upload> abandoned_;
};

}  // namespace mtc::blob
