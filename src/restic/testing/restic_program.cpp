#include "restic/testing/restic_program.hpp"

#include <array>
#include <cstdio>
#include <sys/wait.h>

#include <fmt/format.h>

#include "base/rng.hpp"

namespace mtc::restic::testing {
namespace {

constexpr const char* kProgram = "/usr/bin/restic";

}  // namespace

ResticProgram::ResticProgram()
    : home_(std::filesystem::temp_directory_path() / ("mtc-restic-" + name_suffix(system_rng(), 10))) {
  std::filesystem::create_directories(files());
}

ResticProgram::~ResticProgram() { std::filesystem::remove_all(home_); }

bool ResticProgram::installed() { return std::filesystem::exists(kProgram); }

ResticProgram::Outcome ResticProgram::run(const std::string& arguments) const { return run(arguments, kPassword); }

ResticProgram::Outcome ResticProgram::run(const std::string& arguments, const std::string& password) const {
  const auto command = fmt::format("RESTIC_PASSWORD='{}' {} --no-cache --repo '{}' {} 2>&1", password, kProgram,
                                   folder().string(), arguments);
  Outcome outcome;
  auto* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {.code = -1, .output = "cannot be started"};
  std::array<char, 4096> buffer{};
  for (auto size = std::fread(buffer.data(), 1, buffer.size(), pipe); size > 0;
       size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    outcome.output.append(buffer.data(), size);
  }
  const auto status = ::pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

}  // namespace mtc::restic::testing
