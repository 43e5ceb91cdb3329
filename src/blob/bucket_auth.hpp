#pragma once

#include <string>

#include "base/clock.hpp"
#include "blob/sigv4.hpp"
#include "http/server.hpp"

namespace mtc::blob {

/// What a verified request says about its body.
struct VerifiedRequest {
  std::string payload;    ///< x-amz-content-sha256: a hash in hex, or one of S3's words for a body without one
  std::string signature;  ///< the seed of chunk signatures
  std::string date;       ///< the full x-amz-date
};

/// Verifies the signature of a request, in its Authorization header or in its URL, as S3 does: `key` is the only one
/// known. Throws a Refusal: AccessDenied, InvalidAccessKeyId, RequestTimeTooSkewed, AuthorizationHeaderMalformed,
/// SignatureDoesNotMatch. The body is not looked at.
VerifiedRequest verify_request(const http::ServerRequest& request, const SigningKey& key, Time now);

}  // namespace mtc::blob
