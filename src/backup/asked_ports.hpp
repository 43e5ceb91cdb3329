#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "json/fwd.hpp"

namespace mtc::backup {

/// The node ports of a Service that a person asked for by number, as opposed to those that the cluster gave it: they
/// stand in what kubectl last applied, or a manager owns the field (velero.md §4.10). They travel; the others do not.
class AskedPorts {
 public:
  explicit AskedPorts(const Json& service);

  /// Of one entry of spec.ports.
  bool node_port(const Json& port) const;
  bool health_check() const { return health_check_; }

 private:
  void learn_applied(const Json& service);
  void learn_owned(const Json& service);

  std::set<std::int64_t> numbers_;
  std::set<std::string> names_;
  bool health_check_ = false;
};

}  // namespace mtc::backup
