#pragma once

#include <string>

#include "volume/tree.hpp"

namespace mtc::volume::testing {

/// Sets flags of a file as chattr does (FS_NODUMP_FL …), until it ends.
class Flagged {
 public:
  Flagged(const std::string& path, int flags);
  ~Flagged();
  Flagged(const Flagged&) = delete;
  Flagged& operator=(const Flagged&) = delete;
  /// Whether the file system, and our privileges, allowed it.
  bool set() const { return set_; }

 private:
  Fd file_;
  int before_ = 0;
  bool set_ = false;
};

}  // namespace mtc::volume::testing
