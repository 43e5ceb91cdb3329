#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace mtc::volume {

/// A failed system call on a file. The code says what kind: kNotFound (ENOENT, ENOTDIR, ESTALE), kForbidden (EACCES,
/// EPERM, EROFS), kInvalid (ENOSPC, EDQUOT, EFBIG: the volume is too small), kUnsupported (EOPNOTSUPP, ENAMETOOLONG),
/// kCorrupt (EIO and what the medium says), else kInternal.
class FileError : public Error {
 public:
  /// `number` is an errno; the text reads "doing path: cause".
  FileError(int number, std::string_view doing, std::string_view path);
  int number() const { return number_; }
  /// True if no other file will fare better: no space, quota used up, read-only, or a failing medium.
  bool ends_the_run() const;

 private:
  int number_;
};

/// `path` for people: control characters and bytes that are not UTF-8 as \xNN, the empty path as ".".
std::string printable(std::string_view path);

}  // namespace mtc::volume
