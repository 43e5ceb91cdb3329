#include "oci/authorizer.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "oci/registry_error.hpp"

namespace mtc::oci {
namespace {

constexpr std::size_t kMostTokens = 1000;

std::string basic(const Credential& credential) {
  return "Basic " + base64_encode(credential.username + ":" + credential.password.reveal());
}

std::string bearer(std::string_view token) { return "Bearer " + std::string(token); }

/// What is sent where no token server is asked.
std::string fixed_field(const Credential& credential) {
  if (!credential.registry_token.empty()) return bearer(credential.registry_token.reveal());
  return credential.username.empty() ? "" : basic(credential);
}

/// The way that the token protocol was made for comes first, whatever the order in the answer.
std::optional<Challenge> best_of(const http::Headers& headers) {
  std::optional<Challenge> best;
  for (const auto& [name, value] : headers.fields()) {
    if (!iequals(name, "WWW-Authenticate")) continue;
    for (auto& one : parse_challenges(value)) {
      if (one.scheme == "bearer" && !one.parameter("realm").empty()) return one;
      if (one.scheme == "basic" || one.scheme == "bearer") best = std::move(one);
    }
  }
  return best;
}

http::Request get_token(const http::Url& realm, const std::string& service, const std::string& scopes,
                        const Credential& credential) {
  http::Query query = http::decode_query(realm.query);
  if (!service.empty()) query.emplace_back("service", service);
  for (const auto& scope : split(scopes, ' ')) query.emplace_back("scope", scope);
  http::Request request;
  request.target = (realm.path.empty() ? "/" : realm.path) + (query.empty() ? "" : "?" + http::encode_query(query));
  if (!credential.username.empty()) request.headers.set("Authorization", basic(credential));
  return request;
}

http::Request exchange_token(const http::Url& realm, const std::string& service, const std::string& scopes,
                             const Credential& credential) {
  http::Request request;
  request.method = "POST";
  request.target = realm.path.empty() ? "/" : realm.path;
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  request.body = http::encode_query({{"grant_type", "refresh_token"},
                                     {"service", service},
                                     {"client_id", "mtc"},
                                     {"scope", scopes},
                                     {"refresh_token", credential.identity_token.reveal()}});
  return request;
}

/// Some say 400 to credentials that are none.
Error refusal_of_token(const http::Response& response, const std::string& realm) {
  const auto said = registry_error(response);
  Error error(response.status == 400 ? Code::kUnauthorized : said.code(), said.message());
  error.with_http_status(response.status);
  if (said.retry_after()) error.with_retry_after(*said.retry_after());
  return error.with_context(fmt::format("ask {} for a token", http::Url::parse(realm).authority()));
}

}  // namespace

Credential Authorizer::credential() const {
  return current_ < options_.credentials.size() ? options_.credentials[current_] : Credential{};
}

bool Authorizer::needs_no_server(const Credential& with) const {
  return way_ == Way::kBasic || !with.registry_token.empty();
}

bool Authorizer::next_credential() {
  if (options_.credentials.size() < 2) return false;
  current_ = (current_ + 1) % options_.credentials.size();
  tokens_.clear();
  return true;
}

Task<std::string> Authorizer::field(std::string scopes) {
  if (way_ == Way::kUnasked) co_return "";
  const auto with = credential();
  if (needs_no_server(with)) co_return fixed_field(with);
  co_return co_await token(std::move(scopes));
}

bool Authorizer::learn(const http::Headers& headers, const std::string& sent, const std::string& scopes) {
  const auto challenge = best_of(headers);
  if (!challenge) return false;
  way_ = challenge->scheme == "basic" ? Way::kBasic : Way::kBearer;
  realm_ = challenge->parameter("realm");
  service_ = challenge->parameter("service");
  const auto with = credential();
  // What differs from what would be sent now was sent before something was learnt, here or by another request.
  if (needs_no_server(with)) return sent != fixed_field(with) || next_credential();
  if (realm_.empty()) return false;
  const auto at = tokens_.find(scopes);
  if (sent.empty() || at == tokens_.end() || at->second.field != sent) return true;
  if (std::exchange(at->second.reused, false)) {  // it may have been revoked, or our clock is slow
    at->second.field.clear();
    return true;
  }
  return next_credential();
}

Task<std::string> Authorizer::token(std::string scopes) {
  if (tokens_.size() > kMostTokens) tokens_.clear();
  const auto turn = tokens_[scopes].turn;
  const auto permit = co_await turn->acquire();
  {
    auto& known = tokens_[scopes];
    if (!known.field.empty() && options_.clock->now() < known.renew_at) {
      known.reused = true;
      co_return known.field;
    }
  }
  for (std::size_t tried = 1;; ++tried) {
    const auto asked = options_.clock->now();
    const auto with = credential();
    const auto response = co_await ask(scopes, with);
    if (response.status == 200) {
      auto& fresh = tokens_[scopes];
      fresh.turn = turn;
      keep(fresh, response.body, asked);
      co_return fresh.field;
    }
    const bool refused = response.status == 401 || response.status == 403 || response.status == 400;
    const bool more = refused && tried < options_.credentials.size();
    if (more && (with != credential() || next_credential())) continue;
    throw refusal_of_token(response, realm_);
  }
}

Task<http::Response> Authorizer::ask(std::string scopes, Credential with) const {
  const auto realm = http::Url::parse(realm_);
  if (realm.scheme != "https" && !options_.plain_allowed) {
    throw Error(
        Code::kUnsupported,
        fmt::format("the registry wants its credentials sent to {} without TLS, which is not done", realm.authority()));
  }
  auto request = with.identity_token.empty() ? get_token(realm, service_, scopes, with)
                                             : exchange_token(realm, service_, scopes, with);
  auto origin = realm;
  origin.path = origin.query = "";
  auto client = options_.client_for(origin);
  co_return co_await client.send(std::move(request));
}

void Authorizer::keep(Token& token, const std::string& body, Time asked) const {
  std::optional<Json> json;
  try {
    json = parse_json(body);
  } catch (const Error&) {  // Its text quotes what may be a token.
  }
  auto text = json ? string_at(*json, "token") : "";
  if (json && text.empty()) text = string_at(*json, "access_token");
  const bool writable = !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7f; });
  if (!writable) throw Error(Code::kUnsupported, "the token server answers without a token");
  constexpr std::int64_t least = 60, most = 24 * 3600;  // the specification's default
  const auto told = int_at(*json, "expires_in").value_or(least);
  const auto lifetime = std::chrono::seconds(std::clamp<std::int64_t>(told <= 0 ? least : told, 1, most));
  token.field = bearer(text);
  token.reused = false;
  token.renew_at = asked + lifetime - std::min<std::chrono::seconds>(lifetime / 4, std::chrono::seconds(30));
}

}  // namespace mtc::oci
