#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "kube/client.hpp"

namespace mtc::kube {

/// Asks the API server what it serves: two aggregated documents (apidiscovery.k8s.io/v2) where that is known, else the
/// legacy documents, group by group. `get` fetches a path with an Accept header; nullopt for 404 and 406.
using FetchDocument = std::function<Task<std::optional<Json>>(std::string path, std::string accept)>;
Task<std::shared_ptr<const Discovery>> discover(FetchDocument get);

}  // namespace mtc::kube
