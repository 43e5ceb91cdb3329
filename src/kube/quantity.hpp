#pragma once

#include <string_view>

namespace mtc::kube {

/// The number that a Kubernetes quantity says: "1Gi" is 1073741824, "500m" is 0.5; 0 for what is none. Near enough to
/// compare sizes by.
double quantity(std::string_view text);

}  // namespace mtc::kube
