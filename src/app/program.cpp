#include "app/program.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <sys/stat.h>

#include <fmt/format.h>

#include "app/demo.hpp"
#include "app/image.hpp"
#include "app/mover.hpp"
#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "blob/bucket_server.hpp"
#include "cli/command_line.hpp"
#include "cli/standalone.hpp"
#include "cli/user_error.hpp"
#include "control/controller.hpp"
#include "kube/config.hpp"
#include "sandbox/cluster.hpp"

namespace mtc::app {
namespace {

namespace fs = std::filesystem;

/// The kubeconfig holds the administrator's key: nobody else reads it, and nobody finds half of it.
void write_private(const std::string& path, const std::string& text) {
  const auto draft = path + ".new";
  std::ofstream file(draft, std::ios::trunc);
  fs::permissions(draft, fs::perms::owner_read | fs::perms::owner_write);
  file << text;
  file.close();
  if (!file) throw Error(Code::kUnavailable, "kubeconfig " + path + " cannot be written");
  fs::rename(draft, path);
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

int run_standalone(const std::string& state) {
  const cli::StateLock lock(state);
  const auto kubeconfig = cli::kubeconfig_of(state);
  fs::remove(kubeconfig);  // of an earlier run: that address answers no more
  auto body = [kubeconfig](sandbox::Cluster* cluster) -> Task<void> {
    write_private(kubeconfig, cluster->kubeconfig());
    log::info("standalone host", {{"url", cluster->url()}, {"kubeconfig", kubeconfig}});
    return control::run_controller({.host = cluster->client()});
  };
  async::Runtime runtime;
  return finish(runtime.run_until_signal(with_cluster({.name = "mtc-host", .state = state}, body)));
}

int run_controller(const cli::ControllerOptions& options, cli::Console& console) {
  if (options.standalone) {
    umask(S_IRWXG | S_IRWXO);  // the state holds keys and tokens
    return run_standalone(options.state.empty() ? cli::standalone_state() : options.state);
  }
  async::Runtime runtime;
  const auto host = kube::make_client(cli::find_host(options.host, console));
  return finish(runtime.run_until_signal(control::run_controller({.host = host})));
}

/// `command` is the one that was meant, for the error's next step.
net::Endpoint endpoint_of(const std::string& listen, const std::string& command, const cli::Console& console) {
  const auto at = net::parse_endpoint(listen);
  if (!at)
    throw cli::UserError(Code::kInvalid, "--listen is address:port, not " + listen,
                         console.command(command + " --listen 127.0.0.1:6443"));
  return *at;
}

int run_sandbox(const cli::SandboxOptions& options, cli::Console& console) {
  const bool forgets = options.state == ":memory:";
  umask(S_IRWXG | S_IRWXO);
  std::optional<cli::StateLock> lock;
  if (!forgets) lock.emplace(options.state);
  auto body = [kubeconfig = options.kubeconfig, &console](sandbox::Cluster* running) -> Task<void> {
    if (kubeconfig.empty()) {
      console.out(running->kubeconfig());
    } else {
      write_private(kubeconfig, running->kubeconfig());
      console.out(
          fmt::format("cluster {} serves at {}; export KUBECONFIG={}\n", running->name(), running->url(), kubeconfig));
    }
    return until_cancelled();
  };
  async::Runtime runtime;
  runtime.run_until_signal(with_cluster(
      {.name = options.name, .state = options.state, .listen = endpoint_of(options.listen, "sandbox", console)}, body));
  return cli::kOk;
}

Task<void> serve_bucket(cli::BucketOptions options, cli::Console* console) {
  blob::BucketServerOptions server;
  server.listen = endpoint_of(options.listen, "bucket " + options.name, *console);
  server.region = options.region;
  server.access_key_id = options.access_key_id;
  server.secret_access_key = Secret(options.secret_access_key);
  server.buckets[options.name] =
      options.folder.empty() ? blob::make_memory_store() : blob::make_directory_store(options.folder);
  const auto running = co_await blob::BucketServer::start(std::move(server));
  console->out(fmt::format("bucket {} serves at {}\n", options.name, running->url()));
  std::exception_ptr failure;
  try {
    co_await until_cancelled();
  } catch (...) {  // Requests that run end first.
    failure = std::current_exception();
  }
  co_await running->stop();
  if (failure) std::rethrow_exception(failure);
}

int run_bucket(const cli::BucketOptions& options, cli::Console& console) {
  async::Runtime runtime;
  runtime.run_until_signal(serve_bucket(options, &console));
  return cli::kOk;
}

}  // namespace

int run_program(int argc, char** argv) {
  const cli::Programs programs{run_controller,   run_sandbox,       run_bucket,      run_mover_receive, run_mover_send,
                               run_mover_backup, run_mover_restore, run_mover_prune, run_image_copy,    run_demo};
  return cli::run_command_line(argc, argv, programs);
}

}  // namespace mtc::app
