#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kube/resource.hpp"
#include "sandbox/storage.hpp"

namespace mtc::sandbox {

struct Column {
  std::string name;
  std::string type;
  std::string json_path;
  int priority = 0;  ///< above 0: `kubectl get -o wide` alone shows it
  /// Makes the cell where it is no field's value; null = the value at json_path.
  Json (*show)(const Json& object) = nullptr;
};

/// A kind that the cluster serves, in one version.
struct Resource {
  kube::ResourceType type;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  bool status_subresource = false;
  bool scale_subresource = false;
  bool custom = false;
  std::uint64_t defined_at = 0;  ///< the revision of a custom resource's definition
  std::vector<Column> columns;   ///< beside NAME and AGE
  Json schema;                   ///< of a custom resource; null else
  std::string singular;
  std::string list_kind;
  std::vector<std::string> selectable_fields;  ///< of a custom resource, ".spec.colour"
  /// Where a custom resource's scale subresource finds its numbers, ".spec.replicas"; "" = it has none.
  std::string scale_spec_path = ".spec.replicas", scale_status_path = ".status.replicas", scale_selector_path;
};
/// Shared, so that a request keeps its kind while a definition changes.
using ResourcePtr = std::shared_ptr<const Resource>;

/// The kinds that are served: Kubernetes' own as far as applications and their migration need them, and those that
/// CustomResourceDefinitions in the storage add. Read again only when a definition has changed.
class Resources {
 public:
  explicit Resources(const Storage* storage) : storage_(storage) {}
  /// group → version → kinds; the versions of a group in order of preference.
  struct Version {
    std::string name;
    std::vector<ResourcePtr> kinds;
  };
  using Groups = std::map<std::string, std::vector<Version>>;
  std::shared_ptr<const Groups> groups() const;
  /// One version of every kind: what controllers go through.
  std::vector<ResourcePtr> all() const;
  /// Null if it is not served.
  ResourcePtr find(const std::string& group, const std::string& version, const std::string& plural) const;

 private:
  struct Served {
    std::uint64_t revision = 0;  ///< of the last change of a definition
    Groups groups;
  };
  const Storage* storage_;
  mutable std::shared_ptr<const Served> served_;
};

/// The kinds that are built in.
const std::vector<ResourcePtr>& built_in_resources();

}  // namespace mtc::sandbox
