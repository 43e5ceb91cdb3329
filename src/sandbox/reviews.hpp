#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "sandbox/auth.hpp"

namespace mtc::sandbox {

/// The kinds that are questions and are stored nowhere: SelfSubjectAccessReview, SubjectAccessReview,
/// SelfSubjectRulesReview, SelfSubjectReview, TokenReview. The answer to `question`, posted at `path` by `user`;
/// nullopt for other paths. Throws Failure 403 for a question about others by somebody who may not ask.
std::optional<Json> review(std::string_view path, const User& user, Json question, const Storage& storage, Time now);
/// Whether `review` answers there.
bool is_review(std::string_view path);

}  // namespace mtc::sandbox
