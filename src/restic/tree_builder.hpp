#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "restic/node.hpp"
#include "restic/repository.hpp"

namespace mtc::restic {

/// A part of a directory's nodes, as JSON.
struct TreePart {
  /// A directory among them.
  struct Child {
    std::string name;
    std::size_t begin = 0;  ///< of its node in `json`
    std::size_t end = 0;
  };

  std::string path;  ///< of the directory; "" is the root
  std::string json;  ///< nodes with commas between them
  std::vector<Child> children;

  void add(const Node& node);
};

/// Makes tree blobs from the bottom up: a directory is complete when the scan has left it. Holds the JSON of the
/// directories along one path. Not thread-safe.
class TreeBuilder {
 public:
  explicit TreeBuilder(Repository& repository) : repository_(&repository) {}

  /// The next part in the order of volume::Scan. Trees that are complete now are appended to `into`.
  void add(const TreePart& part, std::vector<Sealed>& into);
  /// Everything was added: the Id of the root's tree.
  Id finish(std::vector<Sealed>& into);

 private:
  struct Child {
    std::string name;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool known = false;  ///< its Id stands in its node
  };
  struct Directory {
    std::string path;
    std::string json;
    std::vector<Child> children;  ///< by name
  };
  Id close_last(std::vector<Sealed>& into);
  void set_subtree(std::string_view name, const Id& id);

  Repository* repository_;
  std::vector<Directory> open_;
};

}  // namespace mtc::restic
