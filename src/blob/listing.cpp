#include "blob/listing.hpp"

#include <algorithm>

namespace mtc::blob {

Listing::Listing(std::string prefix, std::string delimiter, std::string next)
    : prefix_(std::move(prefix)),
      delimiter_(std::move(delimiter)),
      after_(std::move(next)),
      seek_(std::max(prefix_, after_)) {}

/// True if everything below `beginning` is part of a common prefix that was listed already, on this page or before it.
bool Listing::rolled_up(std::string_view beginning) const {
  if (delimiter_.empty()) return false;
  if (!page_.prefixes.empty() && beginning.starts_with(page_.prefixes.back())) return true;
  return after_.size() > prefix_.size() && after_.ends_with(delimiter_) && beginning.starts_with(after_);
}

bool Listing::wants(std::string_view beginning) const {
  if (!beginning.starts_with(prefix_) && !prefix_.starts_with(beginning)) return false;
  const bool before = beginning < seek_ && !seek_.starts_with(beginning);
  return !before && !rolled_up(beginning);
}

bool Listing::add(const ObjectInfo& object) {
  if (!object.key.starts_with(prefix_)) return object.key < prefix_;
  if (object.key <= after_ || rolled_up(object.key)) return true;
  std::string name = object.key;
  const auto at = delimiter_.empty() ? std::string::npos : object.key.find(delimiter_, prefix_.size());
  const bool is_prefix = at != std::string::npos;
  if (is_prefix) name.resize(at + delimiter_.size());
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
