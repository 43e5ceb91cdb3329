#pragma once

#include <memory>
#include <string_view>

#include "blob/bucket_auth.hpp"
#include "blob/sigv4.hpp"
#include "http/server.hpp"

namespace mtc::blob {

/// The content of an upload, checked against what was signed. Only once it has ended is all of it known to be right.
class UploadBody {
 public:
  virtual ~UploadBody() = default;
  /// The next bytes (valid until the next call); empty at the end. Throws a Refusal: XAmzContentSHA256Mismatch,
  /// SignatureDoesNotMatch, IncompleteBody, InvalidRequest.
  virtual Task<std::string_view> read() = 0;
};

/// Chooses by `verified.payload`: a hash of the whole, no signature, or aws-chunked with signed or unsigned chunks
/// (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html). Trailing checksums are read over. `request` must
/// outlive the body.
std::unique_ptr<UploadBody> open_body(http::ServerRequest* request, const VerifiedRequest& verified, SigningKey key);

}  // namespace mtc::blob
