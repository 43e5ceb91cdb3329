#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "json/json.hpp"
#include "kube/client.hpp"

namespace mtc::migrate::volumes {

/// How a sender names the way by which a relay joins it to its receiver, also while it waits for one.
inline constexpr auto kByRelay = "relay";

/// A line that a mover printed; the last one also stands in the pod's status as its termination message.
struct Report {
  std::string phase;  ///< "connecting" … "done", "failed"
  std::optional<int> percent;
  std::string rate;                                    ///< "12.34MB/s"
  std::int64_t files = 0, bytes = 0, bytes_total = 0;  ///< whose content is where it belongs, of how many known so far
  std::optional<std::int64_t> moved;  ///< of the last line: bytes that were not found in place; absent if it says none
  std::string message;
  std::string way;                       ///< of a sender: "10.0.0.1:6443", or kByRelay; "" if none was found yet
  std::vector<std::string> failed_ways;  ///< why those before it failed
  bool retry = true;                     ///< of "failed": whether it may work the next time
  bool verified = false;                 ///< of "done": read back from the destination and found equal
  bool device = false;                   ///< of "done": it was no file tree
  std::string root;                      ///< of "done": Merkle root of what was verified, in hex
  std::string snapshot;  ///< of "done": the snapshot that a backup made, 64 hexadecimal digits; "" for other movers
  std::vector<std::string> skipped, differences, notes;

  bool done() const { return phase == "done"; }
  bool failed() const { return phase == "failed"; }
};
/// nullopt if the line is none of a mover's. Texts and lists are cut: what stands there came out of a container.
std::optional<Report> parse_report(std::string_view line);

/// What the report of a migration keeps of a mover that is done: "files" or "device", "bytes", "movedBytes",
/// "verified", "root".
Json facts_of(const Report& report);

/// Where a mover's pod stands.
struct PodView {
  enum class State { kAbsent, kPending, kRunning, kSucceeded, kFailed } state = State::kAbsent;
  std::string name;  ///< "ns/name"
  std::string ip;
  std::optional<Report> report;  ///< its last line, once it has ended
  std::string trouble;           ///< why it does not start, or how it ended without a report
  std::optional<Time> created, started, finished;
  std::optional<std::int64_t> exit_code;
  bool deleting = false;

  bool ended() const { return state == State::kSucceeded || state == State::kFailed; }
  bool alive() const { return state == State::kPending || state == State::kRunning; }
};
/// Null is an absent pod.
PodView view_of(const Json* pod);

/// The last words of a pod that has ended without a termination message are the last line of its log, too.
Task<void> hear_last_words(kube::ClientPtr cluster, kube::ObjectKey pod, PodView* view);

/// The newest line of a mover at work; nullopt if it has said nothing, or its node does not answer.
Task<std::optional<Report>> last_report(kube::ClientPtr cluster, kube::ObjectKey pod);

}  // namespace mtc::migrate::volumes
