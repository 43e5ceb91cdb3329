#pragma once

#include <string>
#include <string_view>

namespace mtc::kube {

/// The number that a Kubernetes quantity says: "1Gi" is 1073741824, "500m" is 0.5; 0 for what is none. Near enough to
/// compare sizes by.
double quantity(std::string_view text);

/// A number as a quantity, by the largest unit that says it exactly, binary ones first: 1073741824 is "1Gi", 1500 is
/// "1500", 2000 is "2k", 0.5 is "500m". What has no thousandths is rounded up to them.
std::string to_quantity(double number);

}  // namespace mtc::kube
