#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "blob/store.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"

namespace mtc::blob {

struct BucketServerOptions {
  net::Endpoint listen{"127.0.0.1", 0};
  std::optional<net::TlsServerOptions> tls;  ///< absent = plain HTTP
  std::string region = "us-east-1";
  std::string access_key_id;
  Secret secret_access_key;
  std::map<std::string, StorePtr> buckets;
  /// Where the parts of unfinished uploads are kept until they become an object; null = in memory.
  StorePtr parts;
  /// Buckets are also served at <bucket>.<domain> (virtual-host style); "" = only by path.
  std::string domain;
  const Clock* clock = nullptr;  ///< null = the machine's
};

/// An embedded S3-compatible server over any Stores: the bucket of the demo, of the standalone host and of tests.
///
/// Verifies the signature of every request as S3 does, in its header or in its URL, and the hash of every body that
/// declares one, also in signed chunks. Serves objects (whole, ranges, If-Match), ListObjects and ListObjectsV2,
/// DeleteObjects, multipart uploads, HEAD and location of a bucket, and the list of buckets; bodies are streamed. Not:
/// copies, metadata, versions, tags, ACLs, policies: those requests are refused with NotImplemented.
class BucketServer {
 public:
  /// Throws Error(kUnavailable) if it cannot listen, kTls for a certificate that cannot be used.
  static Task<std::unique_ptr<BucketServer>> start(BucketServerOptions options);
  virtual ~BucketServer() = default;
  /// "http://127.0.0.1:34567".
  virtual const std::string& url() const = 0;
  /// Ends requests that run. Await it before destruction.
  virtual Task<void> stop() = 0;
};

}  // namespace mtc::blob
