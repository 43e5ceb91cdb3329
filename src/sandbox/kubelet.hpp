#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "async/process.hpp"
#include "async/scope.hpp"
#include "sandbox/folder.hpp"
#include "sandbox/objects.hpp"
#include "sandbox/pod_status.hpp"

namespace mtc::sandbox {

/// The one node of a cluster: it takes the pods that can be placed. A pod of mtc's own image runs as a process of this
/// machine, with a loopback address of its own (pod_command.hpp says with what); all others are records that say
/// Running. Whatever a pod's restartPolicy, its process is started once; one that ran when the cluster was last stopped
/// has failed. Level-based: look at everything, and do what is missing.
class Kubelet {
 public:
  /// `program` is what mtc's image runs. The tasks of the pods run in `scope`, which is joined before this goes.
  Kubelet(Objects* objects, Folder* folder, std::string program, Rng* rng, async::Scope* scope);
  void look();

 private:
  struct Run;

  void on_pod(const Json& pod);
  void on_process(const Json& pod);
  void start(const Json& pod);
  void refresh(const Json& pod);
  void wait_for_mounts(const Json& pod, const std::string& why);
  Task<void> run(std::shared_ptr<Run> run, async::Command command);
  Task<void> stop(std::shared_ptr<Run> run, Duration grace);
  void conclude(const Run& run, PodEnd end);
  void clean_up(const std::set<std::string>& present);
  ObjectPtr stored(const Run& run) const;
  std::string what_is_left(const Run& run, int exit_code) const;
  void set_status(const Json& pod, Json status);

  Objects& objects_;
  Folder& folder_;
  std::string program_;
  Rng& rng_;
  async::Scope& scope_;
  std::map<std::string, std::shared_ptr<Run>> runs_;  ///< by the pod's uid
  std::set<std::string> folders_;                     ///< of pods, by uid
};

}  // namespace mtc::sandbox
