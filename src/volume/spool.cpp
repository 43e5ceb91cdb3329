#include "volume/spool.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "volume/bytes.hpp"
#include "volume/file_error.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kPending = 256 * 1024;

void read_fully(int file, char* to, std::size_t size, std::uint64_t at) {
  while (size > 0) {
    const auto got = ::pread(file, to, size, static_cast<off_t>(at));
    if (got <= 0) throw FileError(got < 0 ? errno : EIO, "read", "a temporary file");
    to += got;
    size -= static_cast<std::size_t>(got);
    at += static_cast<std::uint64_t>(got);
  }
}

}  // namespace

Spool::Spool() {
  const char* named = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const std::string folder = named != nullptr && *named != '\0' ? named : "/tmp";
  file_ = Fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file_) return;
  // Not every file system knows unnamed files (overlayfs since Linux 6.1).
  auto name = folder + "/mtc-XXXXXX";
  file_ = Fd(::mkostemp(name.data(), O_CLOEXEC));
  if (file_) {
    ::unlink(name.c_str());
    return;
  }
  // A container may have no room of its own.
  file_ = Fd(::memfd_create("mtc-spool", MFD_CLOEXEC));
  if (!file_) throw FileError(errno, "make a temporary file in", folder);
}

void Spool::put(std::uint64_t key, std::string_view record) {
  const std::scoped_lock lock(mutex_);
  places_.push_back({key, written_ + pending_.size()});
  pending_ += Writer().text(record).bytes();
  if (pending_.size() >= kPending) flush();
}

void Spool::flush() {
  for (std::string_view rest = pending_; !rest.empty();) {
    const auto done = ::pwrite(file_.get(), rest.data(), rest.size(), static_cast<off_t>(written_));
    if (done < 0) throw FileError(errno, "write", "a temporary file");
    written_ += static_cast<std::uint64_t>(done);
    rest.remove_prefix(static_cast<std::size_t>(done));
  }
  pending_.clear();
}

void Spool::sort() {
  flush();
  std::ranges::sort(places_, {}, [](const Place& place) { return std::pair(place.key, place.offset); });
}

std::string Spool::get(std::size_t index) const {
  const auto at = places_[index].offset;
  std::string head(4, '\0');
  read_fully(file_.get(), head.data(), head.size(), at);
  std::string record(Reader(head).u32(), '\0');
  read_fully(file_.get(), record.data(), record.size(), at + 4);
  return record;
}

}  // namespace mtc::volume
