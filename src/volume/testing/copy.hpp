#pragma once

#include <optional>
#include <string>

#include "net/testing/fault_gate.hpp"
#include "volume/transfer.hpp"

namespace mtc::volume::testing {

/// How one copy went: the report of each side, or what it threw.
struct Copied {
  Report report;
  Report received;
  std::string send_failure;
  std::string receive_failure;
};

/// Copies `from` to `to` in this process, over pipes in memory; `faults` strike the receiver's first stream. The root
/// in `receive` does not matter.
Copied copy(std::string from, std::string to, Wishes wishes = {}, std::optional<net::testing::Faults> faults = {},
            unsigned lanes = 2, Compression compression = Compression::kAlways, ReceiveOptions receive = {});

/// The same with devices, or files that stand for them.
Copied copy_device(std::string from, std::string to, Wishes wishes = {},
                   std::optional<net::testing::Faults> faults = {}, ReceiveOptions receive = {});

}  // namespace mtc::volume::testing
