#include "cli/host.hpp"

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "cli/standalone.hpp"
#include "cli/user_error.hpp"

namespace mtc::cli {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool has_default_kubeconfig() {
  return !environment("KUBECONFIG").empty() || fs::exists(environment("HOME") + "/.kube/config");
}

UserError no_host(const Console& console) {
  return {
      Code::kNotFound,
      "no host cluster: there is no kubeconfig (neither KUBECONFIG nor ~/.kube/config), and no standalone controller "
      "runs here",
      fmt::format("one of these\n"
                  "  {:<36}  name the kubeconfig of the cluster that holds your plans\n"
                  "  {:<36}  or name it for every command\n"
                  "  {:<36}  or keep the plans on this machine",
                  console.command("--kubeconfig FILE …"), "export KUBECONFIG=FILE",
                  console.command("controller --standalone &"))};
}

}  // namespace

kube::Connection find_host(const HostOptions& options, const Console& console) {
  if (!options.kubeconfig.empty()) return kube::Kubeconfig::load(options.kubeconfig).connection(options.context);
  if (options.context.empty()) {
    if (auto connection = kube::in_cluster()) return std::move(*connection);
  }
  if (has_default_kubeconfig()) return kube::Kubeconfig::load_default().connection(options.context);
  const auto state = standalone_state();
  const auto kubeconfig = kubeconfig_of(state);
  // A controller that has just begun to start has its lock, and its kubeconfig a moment later.
  if (!server_of(state) || !fs::exists(kubeconfig)) throw no_host(console);
  return kube::Kubeconfig::load(kubeconfig).connection(options.context);
}

}  // namespace mtc::cli
