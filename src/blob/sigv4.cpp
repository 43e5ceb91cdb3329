#include "blob/sigv4.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/hash.hpp"
#include "base/strings.hpp"

namespace mtc::blob {
namespace {

/// Sorted by name, then value, after encoding. Sorting the joined texts would differ: '-' is below '='.
std::string canonical_query(const http::Query& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(percent_encode(name), percent_encode(value));
  std::ranges::sort(encoded);
  std::vector<std::string> parts;
  for (const auto& [name, value] : encoded) parts.push_back(name + "=" + value);
  return join(parts, "&");
}

/// Runs of blanks count as one; leading and trailing ones do not count.
std::string squeezed(std::string_view value) {
  std::string out;
  for (const char c : trim(value)) {
    if (c == ' ' && out.ends_with(' ')) continue;
    out += c;
  }
  return out;
}

/// All values of a header, in order.
std::string canonical_value(const http::Headers& headers, std::string_view wanted) {
  std::vector<std::string> values;
  for (const auto& [name, value] : headers.fields()) {
    if (iequals(name, wanted)) values.push_back(squeezed(value));
  }
  return join(values, ",");
}

std::string signature(std::string_view to_sign, const SigningKey& key, std::string_view date) {
  auto secret = hmac_sha256("AWS4" + key.secret_access_key.reveal(), date.substr(0, 8));
  for (const std::string_view part :
       {std::string_view(key.region), std::string_view(key.service), std::string_view("aws4_request")}) {
    secret = hmac_sha256(secret, part);
  }
  return hex(hmac_sha256(secret, to_sign));
}

}  // namespace

std::string credential_scope(const SigningKey& key, std::string_view date) {
  return fmt::format("{}/{}/{}/aws4_request", date.substr(0, 8), key.region, key.service);
}

std::string signature_of(const http::Headers& headers, std::string_view method, std::string_view path,
                         const http::Query& query, std::string_view payload_hash, std::string_view signed_headers,
                         const SigningKey& key, std::string_view date) {
  auto canonical = fmt::format("{}\n{}\n{}\n", method, path.empty() ? "/" : path, canonical_query(query));
  for (const auto& name : split(signed_headers, ';')) {
    canonical += fmt::format("{}:{}\n", name, canonical_value(headers, name));
  }
  canonical += fmt::format("\n{}\n{}", signed_headers, payload_hash);
  return signature(
      fmt::format("{}\n{}\n{}\n{}", kSigningAlgorithm, date, credential_scope(key, date), hex(sha256(canonical))), key,
      date);
}

std::string chunk_signature(std::string_view previous, std::string_view chunk, const SigningKey& key,
                            std::string_view date) {
  return signature(fmt::format("{}-PAYLOAD\n{}\n{}\n{}\n{}\n{}", kSigningAlgorithm, date, credential_scope(key, date),
                               previous, hex(sha256("")), hex(sha256(chunk))),
                   key, date);
}

void sign(http::Headers& headers, std::string_view method, std::string_view path, const http::Query& query,
          std::string_view payload_hash, const SigningKey& key, Time now) {
  const auto date = iso8601_basic(now);
  headers.set("x-amz-date", date);
  headers.set("x-amz-content-sha256", std::string(payload_hash));
  std::vector<std::string> names;
  for (const auto& [name, value] : headers.fields()) names.push_back(to_lower(name));
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  const auto signed_headers = join(names, ";");
  const auto made = signature_of(headers, method, path, query, payload_hash, signed_headers, key, date);
  headers.set("Authorization", fmt::format("{} Credential={}/{},SignedHeaders={},Signature={}", kSigningAlgorithm,
                                           key.access_key_id, credential_scope(key, date), signed_headers, made));
}

std::string presign(std::string_view method, std::string_view host, std::string_view path, http::Query query,
                    const SigningKey& key, Time now, Duration lifetime) {
  const auto date = iso8601_basic(now);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lifetime).count();
  query.emplace_back("X-Amz-Algorithm", kSigningAlgorithm);
  query.emplace_back("X-Amz-Credential", fmt::format("{}/{}", key.access_key_id, credential_scope(key, date)));
  query.emplace_back("X-Amz-Date", date);
  query.emplace_back("X-Amz-Expires", std::to_string(seconds));
  query.emplace_back("X-Amz-SignedHeaders", "host");
  const http::Headers headers = {{"Host", std::string(host)}};
  query.emplace_back("X-Amz-Signature",
                     signature_of(headers, method, path, query, kUnsignedPayload, "host", key, date));
  return http::encode_query(query);
}

}  // namespace mtc::blob
