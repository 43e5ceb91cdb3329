#include "sandbox/copies.hpp"

#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "async/process.hpp"
#include "async/runtime.hpp"
#include "base/error.hpp"

namespace mtc::sandbox {
namespace {

namespace fs = std::filesystem;

fs::path beside(const fs::path& target, const char* ending) { return target.string() + ending; }

std::string content_of(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

Task<async::ExitStatus> run_cp(fs::path source, fs::path part, fs::path log) {
  auto process = co_await async::Process::start(
      {.program = "/bin/cp",
       .arguments = {"cp", "--archive", "--reflink=auto", source.string(), part.string()},
       .environment = {"LC_ALL=C"},
       .folder = "/",
       .output = log.string()});
  co_return co_await process.wait();
}

}  // namespace

bool Copies::ensure(const fs::path& source, const fs::path& target) {
  std::error_code absent;
  if (running_.contains(target)) return false;
  if (const auto failure = failed_.extract(target)) throw Error(Code::kUnavailable, failure.mapped());
  if (fs::exists(fs::symlink_status(target, absent))) return true;
  running_.insert(target);
  scope_.spawn_isolated(copy(source, target), [](const std::exception_ptr&) {});
  return false;
}

/// Under another name until it is whole: a cluster may be killed meanwhile.
Task<void> Copies::copy(fs::path source, fs::path target) {
  const auto part = beside(target, ".part"), log = beside(target, ".log");
  std::optional<std::string> failure;
  try {
    co_await async::offload([&] {
      fs::create_directories(target.parent_path());
      fs::remove_all(part);
      fs::remove(log);
    });
    const auto end = co_await run_cp(source, part, log);
    if (end.code == 0) {
      fs::rename(part, target);
    } else {
      failure = fmt::format("{} cannot be copied: {}", source.string(), content_of(log));
    }
    fs::remove(log);
  } catch (const Error& error) {
    failure = error.what();
  } catch (const fs::filesystem_error& error) {
    failure = error.what();
  }
  running_.erase(target);
  if (failure) failed_[target] = *failure;
  wake_();
}

}  // namespace mtc::sandbox
