#include "app/program.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "app/demo.hpp"
#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "cli/command_line.hpp"
#include "control/controller.hpp"
#include "kube/config.hpp"
#include "sandbox/cluster.hpp"

namespace mtc::app {
namespace {

namespace fs = std::filesystem;

kube::ClientPtr host_client(const cli::HostOptions& options) {
  if (!options.kubeconfig.empty())
    return kube::make_client(kube::Kubeconfig::load(options.kubeconfig).connection(options.context));
  if (options.context.empty()) {
    if (const auto connection = kube::in_cluster()) return kube::make_client(*connection);
  }
  return kube::make_client(kube::Kubeconfig::load_default().connection(options.context));
}

std::string default_state() {
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) + "/.local/state/mtc/host.db";
}

/// The kubeconfig holds the administrator's key.
void write_private(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  file << text;
  if (!file) throw Error(Code::kUnavailable, path + " cannot be written");
}

Task<void> until_cancelled() {
  async::Event never;
  co_await never.wait();
}

/// Runs `body` while the cluster is up; the cluster ends after it, whatever happened.
Task<void> with_cluster(sandbox::ClusterOptions options, std::function<Task<void>(sandbox::Cluster*)> body) {
  const auto cluster = co_await sandbox::Cluster::start(std::move(options));
  std::exception_ptr failure;
  try {
    co_await body(cluster.get());
  } catch (...) {  // The cluster stops first.
    failure = std::current_exception();
  }
  co_await cluster->stop();
  if (failure) std::rethrow_exception(failure);
}

int finish(bool completed) { return completed ? cli::kOk : cli::kInterrupted; }

int run_controller(const cli::ControllerOptions& options) {
  async::Runtime runtime;
  if (!options.standalone)
    return finish(runtime.run_until_signal(control::run_controller({.host = host_client(options.host)})));
  sandbox::ClusterOptions host;
  host.name = "mtc-host";
  host.state = options.state.empty() ? default_state() : options.state;
  fs::create_directories(fs::path(host.state).parent_path());
  const auto kubeconfig = host.state + ".kubeconfig";
  auto body = [kubeconfig](sandbox::Cluster* cluster) -> Task<void> {
    write_private(kubeconfig, cluster->kubeconfig());
    log::info("standalone host", {{"url", cluster->url()}, {"kubeconfig", kubeconfig}});
    return control::run_controller({.host = cluster->client()});
  };
  return finish(runtime.run_until_signal(with_cluster(std::move(host), body)));
}

int run_sandbox(const cli::SandboxOptions& options) {
  sandbox::ClusterOptions cluster;
  cluster.name = options.name;
  cluster.state = options.state;
  const auto colon = options.listen.rfind(':');
  if (colon == std::string::npos) throw Error(Code::kInvalid, "--listen is address:port, not " + options.listen);
  cluster.listen = {options.listen.substr(0, colon),
                    static_cast<std::uint16_t>(std::atoi(options.listen.substr(colon + 1).c_str()))};
  auto body = [kubeconfig = options.kubeconfig](sandbox::Cluster* running) -> Task<void> {
    if (kubeconfig.empty()) {
      fmt::print("{}", running->kubeconfig());
    } else {
      write_private(kubeconfig, running->kubeconfig());
      fmt::print("cluster {} serves at {}; export KUBECONFIG={}\n", running->name(), running->url(), kubeconfig);
    }
    std::fflush(stdout);
    return until_cancelled();
  };
  async::Runtime runtime;
  runtime.run_until_signal(with_cluster(std::move(cluster), body));
  return cli::kOk;
}

}  // namespace

int run_program(int argc, char** argv) {
  const cli::Programs programs{run_controller, run_sandbox, run_demo};
  return cli::run_command_line(argc, argv, programs);
}

}  // namespace mtc::app
