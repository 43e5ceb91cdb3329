#pragma once

#include <string>

#include "blob/store.hpp"

namespace mtc::blob {

/// Builds one page of a listing from objects offered in key order: prefix, delimiter, continuation and page size of
/// S3's ListObjectsV2.
class Listing {
 public:
  Listing(std::string prefix, std::string delimiter, std::string next);
  /// Where the offering should begin: no key before it can be on the page.
  const std::string& seek() const { return seek_; }
  /// Offers an object; false once the page is full or no later key can match.
  bool add(const ObjectInfo& object);
  ListPage take() { return std::move(page_); }

 private:
  static constexpr std::size_t kPageSize = 1000;
  std::string prefix_, delimiter_, after_, seek_;
  std::string last_;
  ListPage page_;
};

}  // namespace mtc::blob
