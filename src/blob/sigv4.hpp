#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "http/message.hpp"

namespace mtc::blob {

/// Who signs, for where. AWS Signature Version 4
/// (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html).
struct SigningKey {
  std::string access_key_id;
  Secret secret_access_key;
  std::string region;
  std::string service = "s3";
};

inline constexpr std::string_view kSigningAlgorithm = "AWS4-HMAC-SHA256";
/// Instead of a hash: the body is not signed. For TLS, where the transport keeps it whole.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

/// Adds x-amz-date, x-amz-content-sha256 and Authorization to `headers`, which must hold Host. Every header present is
/// signed. `path` is percent-encoded as it goes on the wire, `query` is not encoded. `payload_hash` is the SHA-256 of
/// the body in hex, or kUnsignedPayload.
void sign(http::Headers& headers, std::string_view method, std::string_view path, const http::Query& query,
          std::string_view payload_hash, const SigningKey& key, Time now);

/// The signature of a request with these headers, lower-case hex: what sign() puts into Authorization, and what a
/// server compares. `signed_headers` is the sorted list "host;x-amz-date". `date` is the full x-amz-date.
std::string signature_of(const http::Headers& headers, std::string_view method, std::string_view path,
                         const http::Query& query, std::string_view payload_hash, std::string_view signed_headers,
                         const SigningKey& key, std::string_view date);

/// The signature of one chunk of an aws-chunked body, which is chained to that of the chunk before
/// (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html); the first chunk follows the request's signature.
std::string chunk_signature(std::string_view previous, std::string_view chunk, const SigningKey& key,
                            std::string_view date);

/// "20130524/us-east-1/s3/aws4_request": what a credential is valid for.
std::string credential_scope(const SigningKey& key, std::string_view date);

/// The query string, encoded, of a URL that gives whoever has it this one request for `lifetime`.
std::string presign(std::string_view method, std::string_view host, std::string_view path, http::Query query,
                    const SigningKey& key, Time now, Duration lifetime);

}  // namespace mtc::blob
