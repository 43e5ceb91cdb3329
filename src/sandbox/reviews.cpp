#include "sandbox/reviews.hpp"

#include "base/strings.hpp"
#include "json/json.hpp"
#include "sandbox/failure.hpp"

namespace mtc::sandbox {
namespace {

constexpr std::string_view kAuthorization = "/apis/authorization.k8s.io/v1/";
constexpr std::string_view kAuthentication = "/apis/authentication.k8s.io/v1/";

Json shown(const User& user) { return {{"username", user.name}, {"groups", user.groups}}; }

AccessRequest asked(const Json& question) {
  const auto& resource = object_at(question, "spec.resourceAttributes");
  if (resource.empty()) {
    const auto& path = object_at(question, "spec.nonResourceAttributes");
    return {string_at(path, "verb"), "", "", "", "", "", string_at(path, "path")};
  }
  return {string_at(resource, "verb"),        string_at(resource, "group"),     string_at(resource, "resource"),
          string_at(resource, "subresource"), string_at(resource, "namespace"), string_at(resource, "name")};
}

Json access(const User& user, const Json& question, const Storage& storage) {
  const auto what = asked(question);
  if (what.verb.empty())
    throw Failure(422, "Invalid",
                  "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or "
                  "resourceAttributes must be specified");
  return {{"allowed", is_allowed(user, what, storage)}};
}

Json rules(const User& user, const std::string& ns, const Storage& storage) {
  Json resources = Json::array(), paths = Json::array();
  for (const auto& rule : rules_of(user, ns, storage))
    (rule.contains("nonResourceURLs") ? paths : resources).push_back(rule);
  return {{"resourceRules", resources}, {"nonResourceRules", paths}, {"incomplete", false}};
}

Json token(const Json& question, const Storage& storage, Time now) {
  const auto user = user_of_token(string_at(question, "spec.token"), storage, now);
  if (!user) return {{"user", Json::object()}, {"error", "the token is none of this cluster's"}};
  return {{"authenticated", true}, {"user", shown(*user)}};
}

void check_may_ask(const User& user, const char* group, const char* resource, const Storage& storage) {
  if (is_allowed(user, {"create", group, resource, "", "", ""}, storage)) return;
  throw Failure(403, "Forbidden",
                std::string(resource) + "." + group + " is forbidden: User \"" + user.name + "\" cannot create it");
}

}  // namespace

bool is_review(std::string_view path) {
  return (path.starts_with(kAuthorization) || path.starts_with(kAuthentication)) && path.ends_with("reviews");
}

std::optional<Json> review(std::string_view path, const User& user, Json question, const Storage& storage, Time now) {
  const bool about_access = path.starts_with(kAuthorization);
  const auto what = path.substr((about_access ? kAuthorization : kAuthentication).size());
  const auto answer = [&](const char* kind, Json status) {
    question["kind"] = kind;
    question["apiVersion"] = about_access ? "authorization.k8s.io/v1" : "authentication.k8s.io/v1";
    question["status"] = std::move(status);
    return std::move(question);
  };
  if (about_access && what == "selfsubjectaccessreviews")
    return answer("SelfSubjectAccessReview", access(user, question, storage));
  if (about_access && what == "selfsubjectrulesreviews")
    return answer("SelfSubjectRulesReview", rules(user, string_at(question, "spec.namespace"), storage));
  if (about_access && what == "subjectaccessreviews") {
    check_may_ask(user, "authorization.k8s.io", "subjectaccessreviews", storage);
    const User other{string_at(question, "spec.user"), strings_at(question, "spec.groups")};
    return answer("SubjectAccessReview", access(other, question, storage));
  }
  if (!about_access && what == "selfsubjectreviews") return answer("SelfSubjectReview", {{"userInfo", shown(user)}});
  if (!about_access && what == "tokenreviews") {
    check_may_ask(user, "authentication.k8s.io", "tokenreviews", storage);
    return answer("TokenReview", token(question, storage, now));
  }
  return std::nullopt;
}

}  // namespace mtc::sandbox
