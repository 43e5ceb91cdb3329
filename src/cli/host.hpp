#pragma once

#include <string>

#include "cli/console.hpp"
#include "kube/config.hpp"

namespace mtc::cli {

/// Where the host cluster is.
struct HostOptions {
  std::string kubeconfig;  ///< file; empty = find it
  std::string context;     ///< empty = the current one
};

/// The cluster that holds our resources, the first of: the file given; the cluster we run in (unless a context is
/// given); KUBECONFIG; ~/.kube/config; the standalone controller that runs on this machine. Throws UserError(kNotFound)
/// with what to do if there is none, Error as kube::Kubeconfig does.
kube::Connection find_host(const HostOptions& options, const Console& console);

}  // namespace mtc::cli
