#include "app/program.hpp"

#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "control/controller.hpp"
#include "kube/config.hpp"

namespace mtc::app {
namespace {

kube::ClientPtr host_client(const std::string& kubeconfig, const std::string& context) {
  if (!kubeconfig.empty()) return kube::make_client(kube::Kubeconfig::load(kubeconfig).connection(context));
  if (const auto connection = kube::in_cluster()) return kube::make_client(*connection);
  return kube::make_client(kube::Kubeconfig::load_default().connection(context));
}

int run_controller(const std::string& kubeconfig, const std::string& context) {
  async::Runtime runtime;
  control::ControllerOptions options;
  options.host = host_client(kubeconfig, context);
  return runtime.run_until_signal(control::run_controller(std::move(options))) ? 0 : 130;
}

}  // namespace

int run_program(int argc, char** argv) {
  CLI::App program("mtc moves applications between Kubernetes clusters.");
  program.require_subcommand(1);
  std::string kubeconfig, context;
  auto* controller = program.add_subcommand("controller", "reconcile migrations");
  controller->add_option("--kubeconfig", kubeconfig, "kubeconfig of the host cluster");
  controller->add_option("--context", context, "its context");
  CLI11_PARSE(program, argc, argv);
  try {
    if (controller->parsed()) return run_controller(kubeconfig, context);
  } catch (const Error& error) {
    std::fprintf(stderr, "mtc: %s\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace mtc::app
