#include "cli/user_error.hpp"

#include <fmt/format.h>

namespace mtc::cli {

std::string advice(const Error& error, const Console& console) {
  switch (error.code()) {
    case Code::kUnauthorized: return "kubectl auth whoami   (the kubeconfig's credentials are refused: log in again)";
    case Code::kForbidden: return "kubectl auth can-i --list -n openshift-migration   (what this account may do)";
    case Code::kUnavailable:
    case Code::kTimeout: return "kubectl cluster-info   (is that cluster up, and reachable from here?)";
    case Code::kTls: return "kubectl cluster-info   (compare certificate-authority-data with the cluster's own CA)";
    case Code::kConflict:
    case Code::kThrottled: return "the same command again";
    case Code::kInternal: return console.command("--version") + "   (this is a defect: report it with what you typed)";
    default: return console.command("--help");
  }
}

void tell(const Error& error, Console& console) {
  const auto* ours = dynamic_cast<const UserError*>(&error);
  console.err(
      fmt::format("mtc: {}\nnext: {}\n", error.what(), ours != nullptr ? ours->next() : advice(error, console)));
}

}  // namespace mtc::cli
