#include "volume/device.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <linux/fs.h>
#include <memory>
#include <new>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "volume/attributes.hpp"
#include "volume/file_error.hpp"
#include "volume/file_io.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kAlignment = 4096;  ///< what any device demands of direct reads, at most

std::uint64_t size_of(int file, const struct stat& is, const std::string& path) {
  if (!S_ISBLK(is.st_mode)) return static_cast<std::uint64_t>(is.st_size);
  std::uint64_t size = 0;
  if (::ioctl(file, BLKGETSIZE64, &size) != 0) throw FileError(errno, "measure", path);
  return size;
}

struct Freed {
  void operator()(void* memory) const { std::free(memory); }
};
using Aligned = std::unique_ptr<char, Freed>;

Aligned aligned(std::size_t size) {
  Aligned memory(static_cast<char*>(std::aligned_alloc(kAlignment, size)));
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

Device::Device(std::string path, Access access) : path_(std::move(path)) {
  struct stat is{};
  if (::stat(path_.c_str(), &is) != 0) throw FileError(errno, "open device", path_);
  block_ = S_ISBLK(is.st_mode);
  if (!block_ && !S_ISREG(is.st_mode)) {
    throw Error(Code::kInvalid, printable(path_) + " is neither a block device nor a regular file");
  }
  const int alone = block_ && access == Access::kWrite ? O_EXCL : 0;
  file_ = Fd(::open(path_.c_str(), (access == Access::kWrite ? O_RDWR : O_RDONLY) | alone | O_CLOEXEC | O_NOCTTY));
  if (!file_) throw FileError(errno, "open device", path_);
  if (::fstat(file_.get(), &is) != 0) throw FileError(errno, "look at", path_);
  number_ = is.st_rdev;
  size_ = size_of(file_.get(), is, path_);
  if (size_ == 0) throw Error(Code::kInvalid, printable(path_) + " has no bytes: it stands for no device");
  direct_ = Fd(::open(path_.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOCTTY));
}

std::string_view Device::read(std::string& to, std::uint64_t offset, std::uint64_t size) const {
  const auto data = append_at(to, file_.get(), offset, size, path_);
  if (data.size() < size) throw FileError(EIO, "read", path_);  // It became shorter.
  return data;
}

void Device::write(std::uint64_t offset, std::string_view data) { write_at(file_.get(), offset, data, false, path_); }

void Device::zero(std::uint64_t offset, std::uint64_t size) { zero_at(file_.get(), offset, size, path_); }

void Device::settle() {
  if (::fsync(file_.get()) != 0) throw FileError(errno, "bring to the disk", path_);
  ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED);
}

std::optional<std::string> Device::writes() const {
  if (!block_) {
    const auto stamp = stamp_of(file_.get(), path_);
    return fmt::format("{} {} {}", stamp.size, stamp.mtime_ns, stamp.ctime_ns);
  }
  std::ifstream statistics(fmt::format("/sys/dev/block/{}:{}/stat", major(number_), minor(number_)));
  std::vector<std::string> fields{std::istream_iterator<std::string>(statistics), {}};
  // The kernel's Documentation/block/stat.rst: the seventh are sectors written, the twelfth and fourteenth discards and
  // their sectors. The fifth, writes, counts what settle() does too.
  if (fields.size() < 7) return std::nullopt;
  fields.resize(std::max<std::size_t>(fields.size(), 14));
  return fmt::format("{} {} {}", fields[6], fields[11], fields[13]);
}

std::string Device::digest_from_disk(Extent extent) const {
  const auto memory = aligned(kChunk);
  Sha256 hash;
  const auto end = extent.offset + extent.size;
  bool direct = static_cast<bool>(direct_);
  for (auto at = extent.offset; at < end;) {
    const auto skipped = at % kAlignment;
    const auto wanted =
        std::min<std::uint64_t>(kChunk, ((end - at + skipped + kAlignment - 1) / kAlignment) * kAlignment);
    const auto got =
        ::pread(direct ? direct_.get() : file_.get(), memory.get(), wanted, static_cast<off_t>(at - skipped));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EINVAL && direct) {  // The file system knows no direct reads, or not of this alignment.
      direct = false;
      continue;
    }
    if (got < 0) throw FileError(errno, "read back", path_);
    if (static_cast<std::uint64_t>(got) <= skipped) throw FileError(EIO, "read back", path_);
    const auto piece = std::min(static_cast<std::uint64_t>(got) - skipped, end - at);
    hash.update({memory.get() + skipped, piece});
    at += piece;
  }
  return hash.finish();
}

std::unique_ptr<Device> open_target(std::string path, std::uint64_t size) {
  auto device = std::make_unique<Device>(std::move(path), Device::Access::kWrite);
  if (device->size() >= size) return device;
  throw Error(Code::kInvalid, fmt::format("{} is too small: it has {} bytes, the source has {}",
                                          printable(device->path()), device->size(), size));
}

DeviceWatch::DeviceWatch(Device& device) : device_(&device) {
  device_->settle();
  before_ = device_->writes();
}

void DeviceWatch::note_writes(Report& report) const {
  device_->settle();
  if (before_ == device_->writes()) return;
  report.changed_count = 1;
  report.changed.push_back({device_->path(), "was written to while it was read"});
}

std::vector<Extent> extras_beyond(const Device& device, std::uint64_t from) {
  std::vector<Extent> extras;
  std::string chunk;
  while (from < device.size()) {
    const auto size = std::min(kChunk - (from % kChunk), device.size() - from);
    chunk.clear();
    if (!all_zero(device.read(chunk, from, size))) extras.push_back({from, size});
    from += size;
  }
  return extras;
}

/// Whoever reads the device to its end shall not find what somebody else left there.
void zero_beyond(Device& device, std::uint64_t from) {
  for (const auto& extra : extras_beyond(device, from)) device.zero(extra.offset, extra.size);
}

void note_difference(Report& report, Extent at, std::string what) {
  if (report.lenient && report.unsettled() > 0) {
    ++report.excused;
    return;
  }
  ++report.differing;
  note(report.differences, Difference{fmt::format("bytes {}-{}", at.offset, at.offset + at.size - 1), std::move(what)});
}

std::uint64_t extents_of(std::uint64_t size) { return (size + kExtentSize - 1) / kExtentSize; }

Extent extent_at(std::uint64_t number, std::uint64_t size) {
  const auto offset = number * kExtentSize;
  return {offset, std::min(kExtentSize, size - offset)};
}

std::string device_root(std::uint64_t size, std::string_view digests) {
  return sha256(Writer().u64(size).raw(digests).bytes());
}

}  // namespace mtc::volume
