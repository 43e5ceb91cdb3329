#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "net/connect.hpp"
#include "net/stream.hpp"

namespace mtc::net::testing {

/// What goes wrong on a stream, in bytes that passed in that direction (read = from the peer to us).
struct Faults {
  std::optional<std::uint64_t> reset_read_after;   ///< then reads throw Error(kUnavailable)
  std::optional<std::uint64_t> reset_write_after;  ///< then writes throw Error(kUnavailable)
  std::optional<std::uint64_t> stall_read_after;   ///< then reads never end (until cancelled)
  std::optional<std::uint64_t> corrupt_read_at;    ///< flips a bit of this byte
  std::optional<std::uint64_t> close_read_after;   ///< then reads return 0
  std::size_t slice_reads = 0;                     ///< at most this many bytes a read; 0 = no limit
};

/// Puts `faults` on one stream.
StreamPtr faulty(StreamPtr stream, Faults faults);
/// Puts the faults of the n-th connection (from 0) on it; connections beyond the list are whole.
ConnectorPtr faulty_connector(ConnectorPtr inner, std::vector<Faults> by_connection);

}  // namespace mtc::net::testing
