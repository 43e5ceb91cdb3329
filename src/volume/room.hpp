#pragma once

#include "volume/file_error.hpp"

namespace mtc::volume {

/// What to tell of a failure in the file system of `directory`. One of lack of room (no space, no inodes, a quota) says
/// what the file system has, which of that is used up, and what would help; any other failure is as it was. Blocks.
Error with_room(const FileError& failure, int directory);

}  // namespace mtc::volume
