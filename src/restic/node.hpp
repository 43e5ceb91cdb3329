#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "restic/id.hpp"
#include "volume/attributes.hpp"
#include "volume/entry.hpp"

namespace mtc::restic {

/// One name of a directory as a tree blob says it. `entry` is never marked sparse, and as shared if it has more names.
struct Node {
  volume::Entry entry;
  std::int64_t ctime_ns = 0;  ///< since 1970
  std::string user;           ///< names of the owner, "" where they are unknown; nobody reads them
  std::string group;
  std::uint64_t device = 0;  ///< that the inode belongs to
  std::uint64_t inode = 0;
  std::uint64_t links = 0;
  std::vector<Id> content;  ///< a file's blobs, in order
  std::optional<Id> subtree;
};

/// Appends the JSON of a node as restic 0.14 writes it. Some things go beyond that, which 0.14 reads over: the target
/// of a link that is no UTF-8 is kept as newer restics keep it, sockets are listed, and fifos and sockets say if they
/// have several names. The hex of a subtree's Id begins kSubtreeTail bytes before the end.
void append_node(std::string& to, const Node& node);
inline constexpr std::size_t kSubtreeTail = 66;

inline constexpr std::string_view kTreeHead = R"({"nodes":[)";
inline constexpr std::string_view kTreeEnd = "]}\n";

/// Reads the nodes of a tree blob one by one. The blob may come from anybody.
class TreeReader {
 public:
  /// Keeps a view of `json`. `path` is the directory's, for messages.
  TreeReader(std::string_view json, std::string_view path);
  /// The next node; nothing at the end. Throws Error(kCorrupt) for what restic never writes: names that lead elsewhere,
  /// names out of order, fields beyond the limits of volume::Entry; kUnsupported for a type that we do not know.
  std::optional<Node> next();

 private:
  enum class At { kStart, kNodes, kEnd };

  std::string_view rest_;
  std::string path_;
  std::string last_;
  At at_ = At::kStart;
};

}  // namespace mtc::restic
