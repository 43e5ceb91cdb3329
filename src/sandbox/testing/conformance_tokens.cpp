#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "sandbox/testing/helpers.hpp"

// Tokens of service accounts.
namespace mtc::sandbox::testing {
namespace {

Task<Json> request_token(Server s, std::string account, std::string spec) {
  const Json wish = {
      {"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenRequest"}, {"spec", parse_yaml_one(spec)}};
  co_return co_await s.client->raw("POST", path_of(s, types::service_accounts()) + "/" + account + "/token", wish);
}

/// Who the server takes a token's owner for; "" if it refuses.
Task<std::string> whoami(Server s, std::string token) {
  const Json question = {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "SelfSubjectReview"}};
  const auto answer =
      co_await send(s, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, dump(question), token);
  co_return answer.status == 201 ? string_at(parse_json(answer.body), "status.userInfo.username") : "";
}

Task<void> on_request(Server s) {
  const auto token = co_await account_token(s, "robot");
  EXPECT_EQ(co_await whoami(s, token), "system:serviceaccount:" + s.ns + ":robot");
}

Task<void> expiry(Server s) {
  co_await account_token(s, "robot");
  const auto answer = co_await request_token(s, "robot", "{expirationSeconds: 1800}");
  EXPECT_EQ(int_at(answer, "spec.expirationSeconds"), 1800);
  const auto parts = split(string_at(answer, "status.token"), '.');
  if (parts.size() != 3) throw Error(Code::kCorrupt, "the token is no JWT");
  const auto claims = parse_json(base64url_decode(parts[1]).value_or(""));
  EXPECT_EQ(int_at(claims, "exp").value_or(0) - int_at(claims, "iat").value_or(0), 1800);
  EXPECT_EQ(string_at(claims, "sub"), "system:serviceaccount:" + s.ns + ":robot");
  const auto at = parse_rfc3339(string_at(answer, "status.expirationTimestamp"));
  if (!at) throw Error(Code::kCorrupt, "no expiry");
  const auto told = std::chrono::duration_cast<std::chrono::seconds>(at->time_since_epoch()).count();
  EXPECT_NEAR(static_cast<double>(told), static_cast<double>(int_at(claims, "exp").value_or(0)), 1.0);
}

Task<void> too_short(Server s) {
  co_await account_token(s, "robot");
  EXPECT_EQ(co_await code_of(request_token(s, "robot", "{expirationSeconds: 60}")), Code::kInvalid);
}

Task<void> absent_accounts(Server s) { EXPECT_EQ(co_await code_of(request_token(s, "nobody", "{}")), Code::kNotFound); }

Task<void> wrong_tokens(Server s) {
  EXPECT_EQ((co_await send(s, "GET", path_of(s, types::pods()), {}, "", "wrong")).status, 401);
  auto token = co_await account_token(s, "robot");
  token[token.size() / 2] = token[token.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_EQ((co_await send(s, "GET", path_of(s, types::pods()), {}, "", token)).status, 401);
}

Task<void> no_token(Server s) {
  s.connection.client_cert_pem.clear();
  s.connection.client_key_pem = Secret();
  EXPECT_EQ((co_await send(s, "GET", path_of(s, types::pods()))).status, 403);
}

/// Waits for a token to be refused: a real server may remember for ten seconds that it was good.
Task<bool> becomes_refused(Server s, std::string token) {
  for (int i = 0; i < 600; ++i) {
    if ((co_await whoami(s, token)).empty()) co_return true;
    co_await async::sleep_for(std::chrono::milliseconds(50));
  }
  co_return false;
}

Task<void> removed_accounts(Server s) {
  const auto token = co_await account_token(s, "robot");
  co_await s.client->remove(types::service_accounts(), {s.ns, "robot"});
  EXPECT_TRUE(co_await becomes_refused(s, token));
}

Task<void> other_accounts_of_the_name(Server s) {
  const auto old = co_await account_token(s, "robot");
  co_await s.client->remove(types::service_accounts(), {s.ns, "robot"});
  const auto fresh = co_await account_token(s, "robot");
  EXPECT_TRUE(co_await becomes_refused(s, old));
  EXPECT_NE(co_await whoami(s, fresh), "");
}

Task<std::string> token_secret(Server s) {
  co_await s.client->create(types::service_accounts(), named(s, "robot", "{}"));
  auto secret = named(s, "t", "{type: kubernetes.io/service-account-token}");
  secret["metadata"]["annotations"]["kubernetes.io/service-account.name"] = "robot";
  co_await s.client->create(types::secrets(), secret);
  co_await until(s, types::secrets(), "t",
                 [](const auto& object) { return object && !string_at(*object, "data.token").empty(); });
  const auto filled = co_await kube::must_get(*s.client, types::secrets(), {s.ns, "t"});
  EXPECT_EQ(base64_decode(string_at(filled, "data.namespace")), s.ns);
  EXPECT_NE(member(object_at(filled, "data"), "ca.crt"), nullptr);
  EXPECT_NE(kube::annotation(filled, "kubernetes.io/service-account.uid"), "");
  co_return base64_decode(string_at(filled, "data.token")).value_or("");
}

Task<void> secrets(Server s) {
  EXPECT_EQ(co_await whoami(s, co_await token_secret(s)), "system:serviceaccount:" + s.ns + ":robot");
}

Task<void> reviews(Server s) {
  const auto token = co_await account_token(s, "robot");
  const auto review = [&](const std::string& of) {
    return s.client->raw(
        "POST", "/apis/authentication.k8s.io/v1/tokenreviews",
        Json{{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenReview"}, {"spec", {{"token", of}}}});
  };
  const auto good = co_await review(token), bad = co_await review("wrong");
  EXPECT_TRUE(bool_at(good, "status.authenticated"));
  EXPECT_EQ(string_at(good, "status.user.username"), "system:serviceaccount:" + s.ns + ":robot");
  EXPECT_FALSE(bool_at(bad, "status.authenticated"));
}

Task<void> groups(Server s) {
  const auto token = co_await account_token(s, "robot");
  const Json question = {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "SelfSubjectReview"}};
  const auto answer =
      co_await send(s, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, dump(question), token);
  auto names = strings_at(parse_json(answer.body), "status.userInfo.groups");
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"system:authenticated", "system:serviceaccounts",
                                             "system:serviceaccounts:" + s.ns}));
}

Task<void> default_account(Server s) {
  const auto exists = [](const auto& object) { return object.has_value(); };
  co_await until(s, types::service_accounts(), "default", exists);
  co_await until(s, types::config_maps(), "kube-root-ca.crt", exists);
  EXPECT_NE(dump(object_at(co_await read_map(s, "kube-root-ca.crt"), "data")).find("BEGIN CERTIFICATE"),
            std::string::npos);
}

}  // namespace

Cases token_cases() {
  return {{"GivesTokensOnRequest", on_request},
          {"LetsTokensExpire", expiry},
          {"RefusesShortTokens", too_short},
          {"GivesAbsentAccountsNoTokens", absent_accounts},
          {"RefusesWrongTokens", wrong_tokens},
          {"RefusesAnonymousRequests", no_token},
          {"ForgetsTokensOfRemovedAccounts", removed_accounts},
          {"ForgetsTokensOfOtherAccountsOfTheName", other_accounts_of_the_name},
          {"FillsTokenSecrets", secrets},
          {"ReviewsTokens", reviews},
          {"PutsAccountsIntoGroups", groups},
          {"GivesNamespacesADefaultAccount", default_account}};
}

}  // namespace mtc::sandbox::testing
