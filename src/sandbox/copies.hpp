#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "async/scope.hpp"

namespace mtc::sandbox {

/// Copies of whole directories, with everything that `cp --archive` keeps: each made beside the cluster's work, by a
/// process that does not outlive it. Level-based, as the controllers that ask for them.
class Copies {
 public:
  /// `wake` is called when a copy has ended.
  Copies(async::Scope* scope, std::function<void()> wake) : scope_(*scope), wake_(std::move(wake)) {}
  /// Whether `target` is there: whole, or not at all. If it is not, its copy is begun, and asked for again when it has
  /// ended. Throws Error(kUnavailable) once for a copy that failed; who asks again then begins it anew.
  bool ensure(const std::filesystem::path& source, const std::filesystem::path& target);
  bool runs(const std::filesystem::path& target) const { return running_.contains(target); }

 private:
  Task<void> copy(std::filesystem::path source, std::filesystem::path target);

  async::Scope& scope_;
  std::function<void()> wake_;
  std::set<std::filesystem::path> running_;
  std::map<std::filesystem::path, std::string> failed_;  ///< why
};

}  // namespace mtc::sandbox
