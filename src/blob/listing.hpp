#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "blob/store.hpp"

namespace mtc::blob {

/// Builds one page of a listing from objects offered in key order: prefix, delimiter, continuation and page size of
/// S3's ListObjectsV2. Its continuation is the last name of the page before: a key, or a common prefix.
class Listing {
 public:
  Listing(std::string prefix, std::string delimiter, std::string next);
  /// Where the offering should begin: no key before it can be on the page.
  const std::string& seek() const { return seek_; }
  /// Whether a key that begins with `beginning` could still change the page, so that a tree need not be walked in vain.
  bool wants(std::string_view beginning) const;
  /// Offers an object; false once the page is full or no later key can match.
  bool add(const ObjectInfo& object);
  ListPage take() { return std::move(page_); }

 private:
  static constexpr std::size_t kPageSize = 1000;
  bool rolled_up(std::string_view beginning) const;

  std::string prefix_, delimiter_, after_, seek_;
  std::string last_;
  ListPage page_;
};

}  // namespace mtc::blob
