#pragma once

#include <string>
#include <vector>

#include "sandbox/resources.hpp"

namespace mtc::sandbox {

/// The columns that `kubectl get` shows of a built-in kind, beside its name.
std::vector<Column> columns_of(const std::string& kind);

/// What stands in the NAME column: a default storage class says that it is one.
std::string shown_name(const Resource& resource, const Json& object);

}  // namespace mtc::sandbox
