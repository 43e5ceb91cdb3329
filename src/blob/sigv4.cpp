#include "blob/sigv4.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/hash.hpp"
#include "base/strings.hpp"

namespace mtc::blob {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string canonical_query(const http::Query& query) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : query) parts.push_back(percent_encode(name) + "=" + percent_encode(value));
  std::ranges::sort(parts);
  return join(parts, "&");
}

/// Runs of blanks count as one; leading and trailing ones do not count.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : trim(value)) {
    if (c == ' ' && out.ends_with(' ')) continue;
    out += c;
  }
  return out;
}

std::string scope_of(const SigningKey& key, std::string_view date) {
  return fmt::format("{}/{}/{}/aws4_request", date.substr(0, 8), key.region, key.service);
}

}  // namespace

std::string signature_of(const http::Headers& headers, std::string_view method, std::string_view path,
                         const http::Query& query, std::string_view payload_hash, std::string_view signed_headers,
                         const SigningKey& key, std::string_view date) {
  std::string canonical = fmt::format("{}\n{}\n{}\n", method, path.empty() ? "/" : path, canonical_query(query));
  for (const auto& name : split(signed_headers, ';'))
    canonical += fmt::format("{}:{}\n", name, canonical_value(headers.get(name)));
  canonical += fmt::format("\n{}\n{}", signed_headers, payload_hash);
  const auto to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, date, scope_of(key, date), hex(sha256(canonical)));
  auto secret = hmac_sha256("AWS4" + key.secret_access_key.reveal(), date.substr(0, 8));
  for (const auto part :
       {std::string_view(key.region), std::string_view(key.service), std::string_view("aws4_request")}) {
    secret = hmac_sha256(secret, part);
  }
  return hex(hmac_sha256(secret, to_sign));
}

void sign(http::Headers& headers, std::string_view method, std::string_view path, const http::Query& query,
          std::string_view payload_hash, const SigningKey& key, Time now) {
  const auto date = iso8601_basic(now);
  headers.set("x-amz-date", date);
  headers.set("x-amz-content-sha256", std::string(payload_hash));
  std::vector<std::string> names;
  for (const auto& [name, value] : headers.fields()) names.push_back(to_lower(name));
  std::ranges::sort(names);
  const auto signed_headers = join(names, ";");
  const auto signature = signature_of(headers, method, path, query, payload_hash, signed_headers, key, date);
  headers.set("Authorization", fmt::format("{} Credential={}/{},SignedHeaders={},Signature={}", kAlgorithm,
                                           key.access_key_id, scope_of(key, date), signed_headers, signature));
}

std::string presign(std::string_view method, std::string_view host, std::string_view path, http::Query query,
                    const SigningKey& key, Time now, Duration lifetime) {
  const auto date = iso8601_basic(now);
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential", fmt::format("{}/{}", key.access_key_id, scope_of(key, date)));
  query.emplace_back("X-Amz-Date", date);
  query.emplace_back("X-Amz-Expires",
                     std::to_string(std::chrono::duration_cast<std::chrono::seconds>(lifetime).count()));
  query.emplace_back("X-Amz-SignedHeaders", "host");
  const http::Headers headers = {{"Host", std::string(host)}};
  const auto signature = signature_of(headers, method, path, query, kUnsignedPayload, "host", key, date);
  query.emplace_back("X-Amz-Signature", signature);
  return http::encode_query(query);
}

}  // namespace mtc::blob
