#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sandbox/cluster.hpp"

namespace mtc::sandbox::testing {

/// Runs `use` while an embedded cluster is up, which ends after it whatever happens.
void on_cluster(ClusterOptions options, std::function<Task<void>(Cluster*)> use);

/// An object of namespace "default" from flow YAML.
Json in_default(const std::string& name, const std::string& yaml);
/// Waits for an object of namespace "default" (or of none) to be as `done` says, and returns it. Throws
/// Error(kTimeout).
Task<Json> when(kube::ClientPtr client, kube::ResourceType type, std::string name,
                std::function<bool(const Json&)> done);
Task<void> when_gone(kube::ClientPtr client, kube::ResourceType type, std::string name);
/// Waits for an event that says `words` about the object of that name.
Task<void> when_told(kube::ClientPtr client, std::string about, std::string words);

/// Whether the value at a path is this text.
std::function<bool(const Json&)> has(std::string path, std::string text);

/// A state file in a folder of its own, which goes with it.
class StateFile {
 public:
  StateFile();
  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;
  std::string path() const { return folder_ + "/state.db"; }

 private:
  std::string folder_;
};

}  // namespace mtc::sandbox::testing
