#pragma once

#include <memory>
#include <string>

#include "blob/s3_bucket.hpp"
#include "blob/store.hpp"

namespace mtc::blob {

/// An upload to `key`. What fits into one part is put at once when it is committed; more becomes a multipart upload.
/// Holds one part in memory.
std::unique_ptr<Writer> make_s3_upload(std::shared_ptr<Bucket> bucket, std::string key);

}  // namespace mtc::blob
