#include "volume/file_io.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "volume/file_error.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kBlock = 4096;

void write_fully(int file, std::uint64_t offset, std::string_view data, std::string_view path) {
  while (!data.empty()) {
    const auto done = ::pwrite(file, data.data(), data.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw FileError(errno, "write", path);
    data.remove_prefix(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
}

}  // namespace

Fd open_quietly(int directory, const std::string& name, std::string_view path) {
  auto file = open_at(directory, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOATIME);
  if (!file && errno == EPERM) file = open_at(directory, name.c_str(), O_RDONLY | O_NONBLOCK);
  if (!file) throw FileError(errno, "open", path);
  return file;
}

std::string_view append_at(std::string& to, int file, std::uint64_t offset, std::uint64_t size, std::string_view path) {
  const auto before = to.size();
  int failure = 0;
  const auto wanted = before + size;
  // libstdc++ 12 hands the capacity in, not the size.
  to.resize_and_overwrite(wanted, [&](char* at, std::size_t /*room*/) {
    auto have = before;
    while (have < wanted) {
      const auto got = ::pread(file, at + have, wanted - have, static_cast<off_t>(offset + have - before));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) failure = errno;
      if (got <= 0) break;
      have += static_cast<std::size_t>(got);
    }
    return failure == 0 ? have : before;
  });
  if (failure != 0) throw FileError(failure, "read", path);
  return std::string_view(to).substr(before);
}

std::string read_at(int file, std::uint64_t offset, std::uint64_t size, std::string_view path) {
  std::string out;
  append_at(out, file, offset, size, path);
  return out;
}

bool all_zero(std::string_view bytes) {
  return bytes.empty() || (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

void write_at(int file, std::uint64_t offset, std::string_view data, bool sparse, std::string_view path) {
  if (!sparse) return write_fully(file, offset, data, path);
  const auto end = offset + data.size();
  while (!data.empty()) {
    std::size_t run = 0;  // what belongs together is written together
    std::size_t zeros = 0;
    while (run < data.size() && zeros == 0) {
      const auto block = data.substr(run, kBlock - ((offset + run) % kBlock));
      if (all_zero(block)) {
        zeros = block.size();
      } else {
        run += block.size();
      }
    }
    write_fully(file, offset, data.substr(0, run), path);
    offset += run + zeros;
    data.remove_prefix(run + zeros);
  }
  const auto now = ::lseek(file, 0, SEEK_END);
  if (now >= 0 && static_cast<std::uint64_t>(now) < end && ::ftruncate(file, static_cast<off_t>(end)) != 0) {
    throw FileError(errno, "lengthen", path);
  }
}

void zero_at(int file, std::uint64_t offset, std::uint64_t size, std::string_view path) {
  const auto length = ::lseek(file, 0, SEEK_END);
  if (length < 0) throw FileError(errno, "measure", path);
  const auto end = std::min<std::uint64_t>(offset + size, static_cast<std::uint64_t>(length));
  if (end <= offset) return;  // What lies beyond the end is made by the final size.
  const int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  if (::fallocate(file, punch, static_cast<off_t>(offset), static_cast<off_t>(end - offset)) == 0) return;
  // EINVAL: a block device, and the range does not begin and end where its blocks do.
  if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) throw FileError(errno, "punch a hole in", path);
  const std::string zeros(256 * 1024, '\0');
  while (offset < end) {
    const auto piece = std::min<std::uint64_t>(zeros.size(), end - offset);
    write_fully(file, offset, std::string_view(zeros).substr(0, piece), path);
    offset += piece;
  }
}

std::uint64_t next_data(int file, std::uint64_t offset, std::uint64_t size) {
  const auto at = ::lseek(file, static_cast<off_t>(offset), SEEK_DATA);
  if (at >= 0) return std::min(static_cast<std::uint64_t>(at), size);
  return errno == ENXIO ? size : offset;
}

}  // namespace mtc::volume
