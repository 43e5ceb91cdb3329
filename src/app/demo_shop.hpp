#pragma once

#include <string>

#include "kube/client.hpp"

namespace mtc::app {

// The application that the demo moves: three services with their settings and passwords, a job that runs at night, and
// a volume with the files of a thousand orders.

inline constexpr auto kShop = "shop";  ///< its namespace

/// Installs it and waits until it runs. `cluster` is an embedded one, whose volumes are directories of this machine.
Task<void> open_shop(kube::ClientPtr cluster);
/// Waits until every Deployment has its pods; Error(kTimeout), naming it, after a minute.
Task<void> wait_shop_open(kube::ClientPtr cluster);
/// A table of what of the shop is on either cluster.
Task<std::string> inventory(kube::ClientPtr west, kube::ClientPtr east);

}  // namespace mtc::app
