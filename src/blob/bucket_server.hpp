#pragma once

#include <map>
#include <memory>
#include <string>

#include "async/scope.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "blob/store.hpp"
#include "net/connect.hpp"

namespace mtc::blob {

struct BucketServerOptions {
  net::Endpoint listen{"127.0.0.1", 0};
  std::string region = "us-east-1";
  std::string access_key_id;
  Secret secret_access_key;
  std::map<std::string, StorePtr> buckets;
  const Clock* clock = nullptr;  ///< null = the machine's
};

/// An embedded S3-compatible server over any Stores: the bucket of the demo, of the standalone host and of tests.
/// Verifies the signature of every request as S3 does. Path-style addresses; objects (whole, ranges, multipart),
/// ListObjectsV2. Not: versions, ACLs, copies, policies.
class BucketServer {
 public:
  static Task<std::unique_ptr<BucketServer>> start(BucketServerOptions options);
  virtual ~BucketServer() = default;
  /// "http://127.0.0.1:34567".
  virtual const std::string& url() const = 0;
  /// Await it before destruction.
  virtual Task<void> stop() = 0;
};

}  // namespace mtc::blob
