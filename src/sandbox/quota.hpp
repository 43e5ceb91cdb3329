#pragma once

#include "sandbox/resources.hpp"
#include "sandbox/storage.hpp"

namespace mtc::sandbox {

/// Whether the ResourceQuotas of its namespace let an object be made, or be changed from `before`. They bound numbers
/// of objects and what claims ask for, in all or of a class; bounds of what pods use, and quotas with scopes, bound
/// nothing. Throws Failure 403 in the API server's words.
void check_quota(const Storage& storage, const Resource& resource, const Json* before, const Json& after);

/// The status that a quota should have: what it bounds, and how much of that is used.
Json quota_status(const Storage& storage, const Json& quota);

}  // namespace mtc::sandbox
