#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.hpp"
#include "volume/destination.hpp"
#include "volume/file_error.hpp"
#include "volume/file_io.hpp"

namespace mtc::volume {

LargeFile::LargeFile(Destination& destination, const Segment& segment, Entry entry)
    : destination_(destination), path_(join_path(segment.path, entry.name)), entry_(std::move(entry)) {
  try {
    directory_ = destination_.tree_.open_directory(segment.path);
    open();
  } catch (const FileError& failure) {
    fail(failure);
  }
}

/// What is there is changed in place, which needs neither its space nor its bytes twice; its time goes first, so that a
/// run that breaks off leaves nothing that looks complete. What is not there is made under another name.
void LargeFile::open() {
  struct stat now{};
  const auto* name = entry_.name.c_str();
  if (::fstatat(directory_.get(), name, &now, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(now.st_mode) && now.st_size > 0) {
    Seen is;
    is.links = now.st_nlink;
    is.inode = now.st_ino;
    in_place_ = destination_.owns(is, entry_, path_);
  }
  const auto part = part_name(entry_.name);
  const auto* at = in_place_ ? name : part.c_str();
  const int flags = O_RDWR | (in_place_ ? 0 : O_CREAT);
  file_ = Fd(::openat(directory_.get(), at, flags | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file_ && errno == EACCES && ::fchmodat(directory_.get(), at, 0600, AT_SYMLINK_NOFOLLOW) == 0) {
    file_ = open_at(directory_.get(), at, O_RDWR);
  }
  if (!file_) throw FileError(errno, "open", path_);
  if (in_place_) {
    const std::array<timespec, 2> never{timespec{0, UTIME_OMIT}, timespec{1, 424'242'424}};
    ::futimens(file_.get(), never.data());
  }
  const auto size = ::lseek(file_.get(), 0, SEEK_END);
  size_ = size > 0 ? static_cast<std::uint64_t>(size) : 0;
}

void LargeFile::fail(const FileError& failure) {
  file_ = Fd();
  destination_.failed(path_, failure);
}

std::optional<std::uint64_t> LargeFile::basis() const {
  if (!file_) return std::nullopt;
  return size_;
}

std::string LargeFile::hashes(std::uint64_t first, std::size_t count) const {
  static const auto of_a_hole = quick_hash(std::string(kChunk, '\0'));
  std::string out;
  for (auto at = first * kChunk; at < std::min(size_, (first + count) * kChunk); at += kChunk) {
    const bool is_hole = next_data(file_.get(), at, size_) >= at + kChunk;
    out += is_hole ? of_a_hole : quick_hash(read_at(file_.get(), at, kChunk, path_));
  }
  return out;
}

bool LargeFile::holds(std::uint64_t offset, std::uint64_t size, std::string_view hash) const {
  if (!file_ || offset + size > size_) return false;
  return sha256(read_at(file_.get(), offset, size, path_)) == hash;
}

void LargeFile::write(std::uint64_t offset, std::string_view data) {
  if (!file_) return;
  try {
    // Zeros over old bytes must be written, zeros of a fresh sparse file need not.
    write_at(file_.get(), offset, data, entry_.sparse && offset >= size_, path_);
    sent_ += data.size();
    destination_.progress_->settle(0, data.size());
    destination_.progress_->move(data.size());
  } catch (const FileError& failure) {
    fail(failure);
  }
}

void LargeFile::zero(std::uint64_t offset, std::uint64_t size) {
  if (!file_) return;
  try {
    zero_at(file_.get(), offset, size, path_);
  } catch (const FileError& failure) {
    fail(failure);
  }
}

void LargeFile::finish(const FileHead& head) {
  if (!file_ || head.content == Content::kGone) return;
  try {
    if (::ftruncate(file_.get(), static_cast<off_t>(head.entry.size)) != 0) throw FileError(errno, "cut", path_);
    Lost lost;
    set_attributes(file_.get(), head.entry, look_at_open(file_.get(), entry_.name, path_).entry, path_, lost);
    const auto part = part_name(entry_.name);
    if (!in_place_ && ::renameat(directory_.get(), part.c_str(), directory_.get(), entry_.name.c_str()) != 0) {
      throw FileError(errno, "put in place", path_);
    }
    destination_.not_kept(path_, lost);
    destination_.progress_->settle(1, 0);
    const std::scoped_lock lock(destination_.mutex_);
    ++destination_.report_.files;
    destination_.report_.bytes += sent_;
  } catch (const FileError& failure) {
    fail(failure);
  }
}

}  // namespace mtc::volume
