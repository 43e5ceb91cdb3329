#include "volume/testing/flagged.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

namespace mtc::volume::testing {

Flagged::Flagged(const std::string& path, int flags) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  ::ioctl(file_.get(), FS_IOC_GETFLAGS, &before_);
  int now = before_ | flags;
  set_ = ::ioctl(file_.get(), FS_IOC_SETFLAGS, &now) == 0;
}

Flagged::~Flagged() { ::ioctl(file_.get(), FS_IOC_SETFLAGS, &before_); }

}  // namespace mtc::volume::testing
