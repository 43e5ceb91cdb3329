#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kube/resource.hpp"
#include "sandbox/storage.hpp"

namespace mtc::sandbox {

struct Column {
  std::string name;
  std::string type;
  std::string json_path;
};

/// A kind that the cluster serves.
struct Resource {
  kube::ResourceType type;
  std::vector<std::string> short_names;
  bool status_subresource = false;
  bool scale_subresource = false;
  bool custom = false;
  std::vector<Column> columns;  ///< beside NAME and AGE
  Json schema;                  ///< of a custom resource; null else
  std::string singular;
};

/// The kinds that are served: Kubernetes' own as far as applications and their migration need them, and those that
/// CustomResourceDefinitions in the storage add.
class Resources {
 public:
  explicit Resources(const Storage* storage) : storage_(storage) {}
  std::vector<Resource> all() const;
  std::optional<Resource> find(const std::string& group, const std::string& version, const std::string& plural) const;

 private:
  const Storage* storage_;
};

/// The kinds that are built in.
const std::vector<Resource>& built_in_resources();

}  // namespace mtc::sandbox
