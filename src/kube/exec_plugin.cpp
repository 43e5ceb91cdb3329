#include "kube/exec_plugin.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"

extern char** environ;

namespace mtc::kube {
namespace {

constexpr std::size_t kMaxOutput = 1024 * 1024;
constexpr int kLimitMs = 60'000;

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) throw Error(Code::kInternal, "no pipe for the credential plugin");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_end(std::size_t which) {
    if (ends_[which] >= 0) ::close(ends_[which]);
    ends_[which] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment(const Connection::Exec& exec, const Connection& connection) {
  std::vector<std::string> out;
  for (char** at = environ; *at != nullptr; ++at) out.emplace_back(*at);
  for (const auto& [name, value] : exec.env) out.push_back(name + "=" + value);
  Json info = {{"apiVersion", exec.api_version}, {"kind", "ExecCredential"}, {"spec", {{"interactive", false}}}};
  if (exec.provide_cluster_info) {
    info["spec"]["cluster"] = {{"server", connection.url}, {"insecure-skip-tls-verify", connection.insecure}};
    if (!connection.ca_pem.empty())
      info["spec"]["cluster"]["certificate-authority-data"] = base64_encode(connection.ca_pem);
  }
  out.push_back("KUBERNETES_EXEC_INFO=" + dump(info));
  return out;
}

/// Reads until the writer is gone, the limit or the time is reached.
std::string read_output(int from) {
  std::string out;
  std::array<char, 4096> buffer{};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kLimitMs);
  while (out.size() < kMaxOutput) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd waiting{from, POLLIN, 0};
    if (left <= 0 || poll(&waiting, 1, static_cast<int>(left)) <= 0) break;
    const auto size = ::read(from, buffer.data(), buffer.size());
    if (size <= 0) break;
    out.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return out;
}

}  // namespace

ExecCredential run_exec_plugin(const Connection::Exec& exec, const Connection& connection) {
  Pipe output;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.write_end(), STDOUT_FILENO);
  std::vector<std::string> arguments{exec.command};
  arguments.insert(arguments.end(), exec.args.begin(), exec.args.end());
  auto variables = environment(exec, connection);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, exec.command.c_str(), &actions, nullptr, pointers(arguments).data(),
                                  pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    throw Error(Code::kUnauthorized,
                fmt::format("credential plugin {} cannot be run: {}{}{}", exec.command, std::strerror(failed),
                            exec.install_hint.empty() ? "" : "; ", exec.install_hint));
  }
  output.close_end(1);
  const auto text = read_output(output.read_end());
  ::kill(child, SIGKILL);  // of no effect on one that has ended, and the end of one that has not
  int status = 0;
  waitpid(child, &status, 0);
  if (text.empty()) {
    throw Error(Code::kUnauthorized,
                fmt::format("credential plugin {} printed nothing (wait status {})", exec.command, status));
  }
  Json credential;
  try {
    credential = parse_json(text, {.max_bytes = kMaxOutput});
  } catch (Error& error) {
    throw Error(Code::kUnauthorized, fmt::format("credential plugin {} printed no ExecCredential", exec.command));
  }
  ExecCredential out;
  out.token = Secret(string_at(credential, "status.token"));
  out.expires = parse_rfc3339(string_at(credential, "status.expirationTimestamp"));
  if (out.token.empty())
    throw Error(Code::kUnauthorized, fmt::format("credential plugin {} gave no token", exec.command));
  return out;
}

}  // namespace mtc::kube
