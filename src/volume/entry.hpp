#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "volume/bytes.hpp"

namespace mtc::volume {

enum class Type : std::uint8_t { kFile = 1, kDirectory, kSymlink, kFifo, kSocket, kCharDevice, kBlockDevice };

/// Attribute name and value, in the order of their names. ACLs and capabilities are extended attributes too.
using Xattrs = std::vector<std::pair<std::string, std::string>>;

/// One name of a file tree. Names are bytes: anything but NUL and '/'.
struct Entry {
  std::string name;  ///< the last component; empty for the root of the tree
  Type type = Type::kFile;
  std::uint32_t mode = 0;  ///< permission bits, setuid, setgid, sticky
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size = 0;     ///< of a file's content
  std::int64_t mtime_ns = 0;  ///< since 1970
  std::uint64_t rdev = 0;     ///< of a device
  bool sparse = false;        ///< has holes
  bool shared = false;        ///< has other names (hard links)
  std::string target;         ///< of a symbolic link
  Xattrs xattrs;
  bool operator==(const Entry&) const = default;
};

inline constexpr std::size_t kMaxName = 255;
inline constexpr std::size_t kMaxPath = 256 * 1024;
inline constexpr std::size_t kMaxTarget = 4096;
inline constexpr std::size_t kMaxXattrs = 1024 * 1024;  ///< bytes of all attributes of one entry

/// The canonical encoding: one entry, one sequence of bytes.
void encode(Writer& to, const Entry& entry);
/// Throws Error(kCorrupt) for what no file system could have said: unknown types, names with '/', NUL, "." or "..",
/// lengths beyond the limits, attributes out of order, fields that the type does not have.
Entry decode_entry(Reader& from);

/// True for a path below a root: relative components without "", "." and ".." and NUL; "" is the root itself.
bool is_safe_path(std::string_view path);
bool is_safe_name(std::string_view name);
/// `directory` + "/" + `name`.
std::string join_path(std::string_view directory, std::string_view name);

}  // namespace mtc::volume
