#include "blob/bucket_auth.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "blob/bucket_answer.hpp"

namespace mtc::blob {
namespace {

constexpr auto kMaxSkew = std::chrono::minutes(15);
constexpr auto kLongestPresigned = std::chrono::hours(24 * 7);

/// What a request claims about its signature, wherever it says so.
struct Claim {
  std::string access_key_id, scope_date, region, service, signed_headers, signature, date, payload;
  std::optional<std::chrono::seconds> lifetime;  ///< of a presigned URL
  http::Query query;                             ///< what was signed of it
};

[[noreturn]] void malformed(std::string message) {
  throw Refusal(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; " + std::move(message));
}

/// "id/20130524/us-east-1/s3/aws4_request"; an id may itself hold slashes.
void read_credential(std::string_view text, Claim* claim) {
  auto parts = split(text, '/');
  if (parts.size() < 5 || parts.back() != "aws4_request") malformed("the credential is incomplete.");
  const auto tail = parts.end() - 4;
  claim->access_key_id = join(std::vector(parts.begin(), tail), "/");
  claim->scope_date = tail[0];
  claim->region = tail[1];
  claim->service = tail[2];
}

/// "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=a;b, Signature=hex".
Claim header_claim(const http::ServerRequest& request) {
  auto text = request.headers.get("Authorization");
  if (!text.starts_with(kSigningAlgorithm)) {
    throw Refusal(400, "InvalidRequest", "The authorization mechanism is not supported: use AWS4-HMAC-SHA256.");
  }
  text.remove_prefix(kSigningAlgorithm.size());
  Claim claim;
  for (const auto& raw : split(text, ',')) {
    const auto part = trim(raw);
    const auto value = part.substr(std::min(part.size(), part.find('=') + 1));
    if (part.starts_with("Credential=")) read_credential(value, &claim);
    if (part.starts_with("SignedHeaders=")) claim.signed_headers = value;
    if (part.starts_with("Signature=")) claim.signature = value;
  }
  claim.date = request.headers.get("x-amz-date");
  claim.payload = request.headers.get("x-amz-content-sha256");
  claim.query = request.query;
  if (claim.payload.empty()) {
    throw Refusal(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  return claim;
}

Claim url_claim(const http::ServerRequest& request) {
  Claim claim;
  read_credential(request.param("X-Amz-Credential"), &claim);
  claim.date = request.param("X-Amz-Date");
  claim.signed_headers = request.param("X-Amz-SignedHeaders");
  claim.signature = request.param("X-Amz-Signature");
  claim.payload = kUnsignedPayload;
  const auto expires = request.param("X-Amz-Expires");
  std::uint32_t seconds = 0;
  const auto read = std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
  claim.lifetime = std::chrono::seconds(seconds);
  if (read.ec != std::errc{} || *claim.lifetime > kLongestPresigned) {
    throw Refusal(400, "AuthorizationQueryParametersError", "X-Amz-Expires must be a number of seconds within a week");
  }
  for (const auto& parameter : request.query) {
    if (parameter.first != "X-Amz-Signature") claim.query.push_back(parameter);
  }
  return claim;
}

std::optional<Time> parse_amz_date(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  return parse_rfc3339(fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2),
                                   text.substr(9, 2), text.substr(11, 2), text.substr(13, 2)));
}

void check_time(const Claim& claim, Time now) {
  const auto signed_at = parse_amz_date(claim.date);
  if (!signed_at) throw Refusal(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
  if (!claim.date.starts_with(claim.scope_date) || claim.scope_date.size() != 8) {
    malformed("the date of the credential is not that of the request.");
  }
  if (claim.lifetime && now > *signed_at + *claim.lifetime) throw Refusal(403, "AccessDenied", "Request has expired");
  if (*signed_at > now + kMaxSkew || (!claim.lifetime && *signed_at < now - kMaxSkew)) {
    throw Refusal(403, "RequestTimeTooSkewed",
                  "The difference between the request time and the server's time is too large.",
                  element("ServerTime", rfc3339(now)));
  }
}

/// What could be changed on the way without breaking the signature must not matter.
void check_signed_headers(const http::ServerRequest& request, const Claim& claim) {
  const auto names = split(claim.signed_headers, ';');
  const auto is_signed = [&](std::string_view name) { return std::ranges::find(names, to_lower(name)) != names.end(); };
  bool covered = is_signed("host");
  for (const auto& [name, value] : request.headers.fields()) {
    if (to_lower(name).starts_with("x-amz-") && !is_signed(name)) covered = false;
  }
  if (!covered) {
    throw Refusal(403, "AccessDenied", "There were headers present in the request which were not signed");
  }
}

/// Takes as long for a near miss as for a wild guess.
bool same_signature(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace

VerifiedRequest verify_request(const http::ServerRequest& request, const SigningKey& key, Time now) {
  const bool in_header = request.headers.has("Authorization");
  if (!in_header && request.param("X-Amz-Signature").empty()) throw Refusal(403, "AccessDenied", "Access Denied.");
  const auto claim = in_header ? header_claim(request) : url_claim(request);
  if (claim.access_key_id != key.access_key_id) {
    throw Refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.",
                  element("AWSAccessKeyId", claim.access_key_id));
  }
  check_time(claim, now);
  if (claim.region != key.region) {
    throw Refusal(400, "AuthorizationHeaderMalformed",
                  fmt::format("The authorization header is malformed; the region '{}' is wrong; expecting '{}'",
                              claim.region, key.region),
                  element("Region", key.region));
  }
  if (claim.service != key.service) malformed(fmt::format("incorrect service \"{}\".", claim.service));
  check_signed_headers(request, claim);
  const auto expected = signature_of(request.headers, request.method, request.path, claim.query, claim.payload,
                                     claim.signed_headers, key, claim.date);
  if (!same_signature(expected, claim.signature)) {
    throw Refusal(403, "SignatureDoesNotMatch",
                  "The request signature we calculated does not match the signature you provided. Check your key and "
                  "signing method.");
  }
  return {claim.payload, claim.signature, claim.date};
}

}  // namespace mtc::blob
