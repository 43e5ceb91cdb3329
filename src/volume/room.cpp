#include "volume/room.hpp"

#include <cerrno>
#include <sys/statvfs.h>

#include <fmt/format.h>

namespace mtc::volume {
namespace {

constexpr auto kLarger = "enlarge the claim of the destination, or remove from the source what is not needed";

}  // namespace

Error with_room(const FileError& failure, int directory) {
  const auto tell = [&](std::string_view what) {
    return Error(failure.code(), fmt::format("{} ({})", failure.message(), what));
  };
  if (failure.number() == EDQUOT)
    return tell("a quota of the destination's storage is used up: raise it, or choose another storage class");
  struct statvfs is{};
  if (failure.number() != ENOSPC || ::fstatvfs(directory, &is) != 0) return failure;
  if (is.f_files > 0 && is.f_ffree == 0) {
    return tell(fmt::format(
        "all of the volume's {} inodes are used: give the claim of the destination a storage class with more",
        is.f_files));
  }
  return tell(fmt::format("the volume has {} bytes, {} of them free: {}", is.f_blocks * is.f_frsize,
                          is.f_bavail * is.f_frsize, kLarger));
}

}  // namespace mtc::volume
