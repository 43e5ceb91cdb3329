#pragma once

#include <limits>
#include <string>
#include <vector>

#include "json/json.hpp"
#include "plan/mover_pod.hpp"

namespace mtc::migrate::volumes {

/// What movers may use, all of a host together or one of them; 0 is without bound.
struct Bounds {
  double bytes_per_second = 0;
  double iops = 0;

  bool any() const { return bytes_per_second > 0 || iops > 0; }
  bool operator==(const Bounds&) const = default;
};
/// MOVER_BYTES_PER_SECOND ("100Mi") and MOVER_IOPS of a host's ConfigMap migration-cluster-config, which may be null.
/// Throws Error(kInvalid) naming key and value for what is no quantity: a bound that was mistyped is none to ignore.
Bounds bounds_in(const Json& config_map);
/// The annotation of a mover's pod that says so (docs/protocol/mover.md), and what one says.
std::string annotation_of(const Bounds& bounds);
Bounds bounds_of(const std::string& annotation);

/// A mover at work.
struct Consumer {
  static constexpr double kAll = std::numeric_limits<double>::infinity();
  std::string migration;           ///< movers of one migration share what is its part
  double bytes_per_second = kAll;  ///< what it would use if nobody bounded it
  bool reads = true;               ///< a volume to copy from
};
/// What each may use: migrations get as much of either, and the movers of one likewise; what one does not need is for
/// those who do (max-min fairness), and what nobody needs is handed out too.
std::vector<Bounds> shares_of(const Bounds& total, const std::vector<Consumer>& consumers);

/// What a mover would use, by what it did use of its share: as much as it gets, unless it left a part.
double demand_of(double used, double share);
/// "12.34MB/s" of a mover's line in bytes a second; 0 for what is no rate.
double rate_of(const std::string& text);

/// What a mover gets that begins now. Whoever keeps the budgets of a host writes it, passes read it.
struct NewcomersBudget {
  std::string annotation = "{}";
};
/// Lets a mover heed a budget. `newcomers` may be null: then it is without bound until somebody writes another one.
void bound(plan::Mover& mover, const NewcomersBudget* newcomers);

}  // namespace mtc::migrate::volumes
