#pragma once

#include <memory>
#include <string>

#include "async/task.hpp"

namespace mtc::async {

/// Tells when a file is written to (inotify). For tasks of one Runtime.
class FileChanges {
 public:
  /// Throws Error(kUnavailable) naming the file and the cause.
  static Task<FileChanges> of(std::string path);
  ~FileChanges();
  FileChanges(FileChanges&&) noexcept;
  FileChanges& operator=(FileChanges&&) = delete;

  /// Waits for a write that came after the last one it told of.
  Task<void> next();

 private:
  struct State;
  explicit FileChanges(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mtc::async
