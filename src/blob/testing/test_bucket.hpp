#pragma once

#include <functional>
#include <string>

#include "blob/bucket_server.hpp"
#include "blob/s3.hpp"

namespace mtc::blob::testing {

/// A BucketServer with the bucket "b" (memory) for the key "key" with the secret "secret".
BucketServerOptions bucket_options();
/// A client of that bucket at `endpoint`; two attempts, parts of 5 MiB.
S3Options client_of(std::string endpoint);
/// Runs `use` while a BucketServer serves; rethrows what it threw.
Task<void> with_bucket(std::function<Task<void>(S3Options)> use, BucketServerOptions options = bucket_options());

}  // namespace mtc::blob::testing
