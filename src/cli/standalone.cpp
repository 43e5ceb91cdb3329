#include "cli/standalone.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/user_error.hpp"

namespace mtc::cli {
namespace {

namespace fs = std::filesystem;

std::string lock_file(const std::string& state) { return state + ".lock"; }

struct flock whole_file() {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::optional<int> holder(int file) {
  auto lock = whole_file();
  if (fcntl(file, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return std::nullopt;
  return lock.l_pid;
}

}  // namespace

std::string standalone_state() {
  // Relative paths are to be ignored, says the base directory specification.
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return std::string(state) + "/mtc/host.db";
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) + "/.local/state/mtc/host.db";
}

std::string kubeconfig_of(const std::string& state) { return state + ".kubeconfig"; }

std::optional<int> server_of(const std::string& state) {
  const int file = open(lock_file(state).c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  const auto process = holder(file);
  close(file);
  return process;
}

StateLock::StateLock(const std::string& state) {
  if (const auto folder = fs::path(state).parent_path(); !folder.empty() && !fs::exists(folder)) {
    fs::create_directories(folder);
    fs::permissions(folder, fs::perms::owner_all);
  }
  const auto path = lock_file(state);
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0) {
    throw UserError(Code::kUnavailable, fmt::format("state {}: {} cannot be written: {}", state, path, strerror(errno)),
                    "--state FILE, with a file in a folder of yours");
  }
  auto lock = whole_file();
  if (fcntl(file_, F_SETLK, &lock) == 0) return;
  const auto process = holder(file_);
  close(file_);
  throw UserError(
      Code::kConflict,
      fmt::format("state {} is in use: process {} serves it", state, process ? std::to_string(*process) : "?"),
      fmt::format("stop that process, work with it (its kubeconfig is {}), or choose another --state",
                  kubeconfig_of(state)));
}

StateLock::~StateLock() { close(file_); }

}  // namespace mtc::cli
