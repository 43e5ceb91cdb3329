#include "oci/testing/token_server.hpp"

#include <memory>
#include <vector>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"

namespace mtc::oci::testing {
namespace {

/// The text between the lines of a PEM block, which is base64 of its DER form.
std::string der_base64(const std::string& pem) {
  std::string out;
  for (const auto& line : split(pem, '\n')) {
    if (line.starts_with("-----END")) break;
    if (!line.starts_with("-----")) out += line;
  }
  return out;
}

/// ES256 (RFC 7518 §3.4): the two numbers side by side.
std::string es256(const Secret& key_pem, const std::string& text) {
  const auto& pem = key_pem.reveal();
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                      BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
  std::vector<unsigned char> der(256);
  std::size_t size = der.size();
  EVP_DigestSign(context.get(), der.data(), &size, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  const auto* at = static_cast<const unsigned char*>(der.data());
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), ECDSA_SIG_free);
  constexpr int half = 32;
  std::string out(2 * half, '\0');
  auto* const bytes = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes, half);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes + half, half);
  return out;
}

std::int64_t seconds_of(Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

TokenServer::TokenServer()
    : ca_(net::make_ca("token CA", system_clock().now())),
      signer_(net::issue_certificate(ca_, "token signer", {"tokens.test"}, {}, system_clock().now())) {}

bool TokenServer::knows(const http::ServerRequest& request, const std::string& form) const {
  if (request.method == "POST") {
    for (const auto& [name, value] : http::decode_query(form)) {
      if (name == "refresh_token") return value == refresh_token;
    }
    return false;
  }
  return request.headers.get("Authorization") == "Basic " + base64_encode(username + ":" + password);
}

std::string TokenServer::token_for(const std::string& scopes) {
  std::set<std::string> allowed;
  auto access = Json::array();
  for (const auto& scope : split(scopes, ' ')) {
    const auto parts = split(scope, ':');
    if (parts.size() != 3) continue;
    auto actions = Json::array();
    for (const auto& action : split(parts[2], ',')) {
      const auto one = parts[0] + ":" + parts[1] + ":" + action;
      if (denied.contains(one)) continue;
      allowed.insert(one);
      actions.push_back(action);
    }
    access.push_back({{"type", parts[0]}, {"name", parts[1]}, {"actions", actions}});
  }
  const auto now = system_clock().now();
  const Json header = {{"typ", "JWT"}, {"alg", "ES256"}, {"x5c", {der_base64(signer_.cert_pem)}}};
  const Json claims = {{"iss", kIssuer},
                       {"sub", username},
                       {"aud", kService},
                       {"exp", seconds_of(now + std::chrono::hours(1))},
                       {"nbf", seconds_of(now - std::chrono::minutes(1))},
                       {"iat", seconds_of(now)},
                       {"jti", std::to_string(++count_)},
                       {"access", access}};
  const auto text = base64url_encode(dump(header)) + "." + base64url_encode(dump(claims));
  auto token = text + "." + base64url_encode(es256(signer_.key_pem, text));
  issued_[token] = std::move(allowed);
  return token;
}

bool TokenServer::allows(const std::string& token, const std::string& access) const {
  const auto at = issued_.find(token);
  return at != issued_.end() && (access.empty() || at->second.contains(access));
}

Task<void> TokenServer::handle(http::ServerRequest& request, http::ResponseWriter& writer) {
  const auto form = request.method == "POST" ? co_await request.body() : "";
  http::Response answer;
  if (status != 200) {
    answer.status = status;
  } else if (!knows(request, form)) {
    answer.status = 401;
    answer.body = R"({"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]})";
  } else {
    std::string scopes;
    for (const auto& [name, value] : request.method == "POST" ? http::decode_query(form) : request.query) {
      if (name == "scope") scopes += (scopes.empty() ? "" : " ") + value;
    }
    const auto* const member = request.method == "POST" ? "access_token" : "token";
    answer.body = dump({{member, token_for(scopes)}, {"expires_in", lifetime.count()}});
  }
  co_await writer.respond(std::move(answer));
}

}  // namespace mtc::oci::testing
