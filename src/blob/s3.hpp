#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"
#include "blob/store.hpp"
#include "net/connect.hpp"

namespace mtc::blob {

/// Where the bucket's name goes: https://endpoint/bucket or https://bucket.endpoint. By path in any case where the
/// endpoint is an IP address, or the bucket's name has a dot and TLS is spoken.
enum class AddressingStyle { kPath, kVirtualHost };

struct S3Options {
  std::string bucket;
  std::string region = "us-east-1";
  std::string endpoint;  ///< "https://minio:9000"; empty = AWS of the region
  AddressingStyle style = AddressingStyle::kVirtualHost;
  std::string access_key_id;
  Secret secret_access_key;
  std::string ca_pem;                                 ///< empty = the system's roots
  bool insecure = false;                              ///< no TLS verification
  std::uint64_t part_size = 16 * 1024 * 1024;         ///< multipart parts; at least 5 MiB
  std::size_t concurrent_requests = 16;               ///< open readers count; requests beyond wait their turn
  Duration request_limit = std::chrono::seconds(60);  ///< without progress
  unsigned max_attempts = 5;
  net::ConnectorPtr connector;   ///< null = TCP, through the environment's proxy
  const Clock* clock = nullptr;  ///< null = the machine's
  Rng* rng = nullptr;            ///< null = the system's
};
/// Throws Error(kInvalid) for a malformed endpoint or an empty bucket; sends nothing yet.
StorePtr make_s3_store(S3Options options);

}  // namespace mtc::blob
