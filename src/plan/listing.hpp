#pragma once

#include <string>
#include <vector>

#include "api/condition.hpp"

namespace mtc::plan {

/// Sets a condition whose message names `items` in the place of "[]"; none if there are no items.
void set_listing(api::Conditions& conditions, std::string type, api::Category category, std::string reason,
                 std::vector<std::string> items, std::string message);

}  // namespace mtc::plan
