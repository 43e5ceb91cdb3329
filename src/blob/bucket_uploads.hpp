#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "blob/bucket_body.hpp"
#include "blob/store.hpp"

namespace mtc::blob {

/// Streams `body` into a new object.
Task<ObjectInfo> store_body(Store* store, std::string key, UploadBody* body);

/// The unfinished multipart uploads of a BucketServer. Their parts lie in a store of their own, so that no listing of a
/// bucket shows them. Uploads are forgotten when the server ends.
class Uploads {
 public:
  Uploads(StorePtr parts, Rng& rng) : parts_(std::move(parts)), rng_(rng) {}

  /// The id of a new upload. Throws a Refusal (SlowDown) when too many were begun and never ended.
  std::string begin(std::string bucket, std::string key);
  /// Throws a Refusal: NoSuchUpload, InvalidArgument for a number outside 1 to 10000, and what `body` throws.
  Task<ObjectInfo> put_part(std::string id, std::string bucket, std::string key, std::string number, UploadBody* body);
  /// Makes the object of the parts that `document` (CompleteMultipartUpload) names. Throws a Refusal: NoSuchUpload,
  /// MalformedXML, InvalidPart, InvalidPartOrder, EntityTooSmall.
  Task<ObjectInfo> complete(std::string id, std::string bucket, std::string key, std::string document, Store* into);
  Task<void> abort(std::string id, std::string bucket, std::string key);

 private:
  struct Upload {
    std::string bucket, key;
    std::map<int, ObjectInfo> parts;
  };
  Upload& find(const std::string& id, const std::string& bucket, const std::string& key);

  StorePtr parts_;
  Rng& rng_;
  std::map<std::string, Upload> uploads_;
};

}  // namespace mtc::blob
