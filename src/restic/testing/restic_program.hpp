#pragma once

#include <filesystem>
#include <string>

#include "blob/store.hpp"

namespace mtc::restic::testing {

/// The original program, and a folder of its own for a repository that both may use.
class ResticProgram {
 public:
  ResticProgram();
  ~ResticProgram();
  ResticProgram(const ResticProgram&) = delete;
  ResticProgram& operator=(const ResticProgram&) = delete;

  /// Whether it is installed.
  static bool installed();

  struct Outcome {
    int code = 0;
    std::string output;  ///< stdout and stderr
  };
  /// Runs `restic <arguments>` (as a shell reads them) on the repository.
  Outcome run(const std::string& arguments) const;
  Outcome run(const std::string& arguments, const std::string& password) const;

  static constexpr const char* kPassword = "the password of the tests";
  /// Where the repository is, by its path and as a store.
  std::filesystem::path folder() const { return home_ / "repository"; }
  blob::StorePtr store() const { return blob::make_directory_store(folder().string()); }
  /// A folder for files to back up.
  std::filesystem::path files() const { return home_ / "files"; }

 private:
  std::filesystem::path home_;
};

}  // namespace mtc::restic::testing
