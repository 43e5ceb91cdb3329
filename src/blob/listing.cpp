#include "blob/listing.hpp"

#include <utility>

namespace mtc::blob {

Listing::Listing(std::string prefix, std::string delimiter, std::string next)
    : prefix_(std::move(prefix)),
      delimiter_(std::move(delimiter)),
      after_(std::move(next)),
      seek_(std::max(prefix_, after_)) {}

bool Listing::add(const ObjectInfo& object) {
  if (!object.key.starts_with(prefix_)) return object.key < prefix_;
  std::string name = object.key;
  bool is_prefix = false;
  if (!delimiter_.empty()) {
    const auto at = object.key.find(delimiter_, prefix_.size());
    if (at != std::string::npos) {
      name = object.key.substr(0, at + delimiter_.size());
      is_prefix = true;
    }
  }
  // The token is the last name of the page before: an object's key, or a prefix with everything below it.
  if (!after_.empty() && (name <= after_)) return true;
  if (is_prefix && !page_.prefixes.empty() && page_.prefixes.back() == name) return true;
  if (page_.objects.size() + page_.prefixes.size() == kPageSize) {
    page_.next = last_;
    return false;
  }
  last_ = name;
  if (is_prefix) {
    page_.prefixes.push_back(std::move(name));
  } else {
    page_.objects.push_back(object);
  }
  return true;
}

}  // namespace mtc::blob
