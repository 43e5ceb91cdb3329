#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "volume/tree.hpp"

namespace mtc::volume {

/// Opens a file of a directory for reading, which leaves no trace (no access time) where the owner may ask for that.
/// Follows no link and does not wait for a fifo's other end. Throws FileError with `path`.
Fd open_quietly(int directory, const std::string& name, std::string_view path);
/// Up to `size` bytes from `offset`; fewer only at the end of the file. Throws FileError with `path`.
std::string read_at(int file, std::uint64_t offset, std::uint64_t size, std::string_view path);
/// The same, appended to `to`: returns what was read. If it throws, `to` is as it was.
std::string_view append_at(std::string& to, int file, std::uint64_t offset, std::uint64_t size, std::string_view path);
/// Writes all of `data`. With `sparse`, blocks of zeros are left out and the file is made long enough: for fresh files.
void write_at(int file, std::uint64_t offset, std::string_view data, bool sparse, std::string_view path);
/// Makes the range read as zeros and gives its blocks back where the file system can.
void zero_at(int file, std::uint64_t offset, std::uint64_t size, std::string_view path);
/// True if every byte is zero.
bool all_zero(std::string_view bytes);
/// The first byte at or after `offset` that is not in a hole; `size` if only a hole follows.
std::uint64_t next_data(int file, std::uint64_t offset, std::uint64_t size);

}  // namespace mtc::volume
