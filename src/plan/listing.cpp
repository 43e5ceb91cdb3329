#include "plan/listing.hpp"

#include <utility>

namespace mtc::plan {

void set_listing(api::Conditions& conditions, std::string type, api::Category category, std::string reason,
                 std::vector<std::string> items, std::string message) {
  if (items.empty()) return;
  conditions.set({.type = std::move(type),
                  .category = category,
                  .reason = std::move(reason),
                  .message = std::move(message),
                  .items = std::move(items)});
}

}  // namespace mtc::plan
