#pragma once

#include <string>
#include <vector>

#include "sandbox/resources.hpp"

namespace mtc::sandbox {

/// The columns that `kubectl get` shows of a built-in kind, beside its name.
std::vector<Column> columns_of(const std::string& kind);

}  // namespace mtc::sandbox
