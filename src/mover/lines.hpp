#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "restic/backup.hpp"
#include "restic/prune.hpp"
#include "volume/transfer.hpp"

namespace mtc::mover {

// What a mover prints: one JSON object a line (docs/protocol/mover.md). Whoever runs movers reads it from their logs.

/// Takes one line, without its end.
using Out = std::function<void(std::string_view line)>;

/// "12.34MB/s", as rsync writes a rate: units of 1024, kB/s at least.
std::string rate_text(double bytes_per_second);

/// Prints a line whenever something has changed, at most one a second.
class Reporter {
 public:
  /// `progress` outlives the reporter.
  Reporter(const volume::Progress* progress, Out out) : progress_(progress), out_(std::move(out)) {}

  /// Puts a message into the next line; several are joined.
  void say(const std::string& message);
  /// Names the way to the other end, and why those before it failed, in this and all further lines.
  void take(const std::string& way, const std::vector<std::string>& failed);
  /// Prints until cancelled.
  Task<void> run();
  /// Prints the next line now, if it says anything new.
  void print();

 private:
  struct Mark {
    std::chrono::steady_clock::time_point at;
    std::uint64_t moved = 0;
  };
  double rate();

  async::Event said_;
  const volume::Progress* progress_;
  Out out_;
  std::string message_;
  std::string way_;
  std::vector<std::string> failed_ways_;
  std::string last_;
  std::deque<Mark> marks_;
  unsigned percent_ = 0;
};

/// How a mover ended.
struct Outcome {
  bool done = false;
  std::string message;  ///< of a failure: cause and path
  bool retry = false;   ///< the same again may succeed
  bool device = false;  ///< it was no tree
  std::string root;     ///< Merkle root, hexadecimal; "" if what came was not verified
  bool verified = false;
  std::string snapshot;                  ///< of a backup: its Id, hexadecimal
  std::vector<std::string> skipped;      ///< changed while a rehearsal copied them
  std::vector<std::string> differences;  ///< of the destination from the source
  std::vector<std::string> notes;
};
/// What a report means: a rehearsal may leave behind what changed under its hands, a cutover nothing.
Outcome outcome_of(const volume::Report& report);
Outcome outcome_of(const restic::BackupResult& backup);
Outcome outcome_of(const restic::PruneReport& prune);
Outcome outcome_of(const Error& failure);
/// The last line, at most `limit` bytes long: lists are cut, and say so, then the message.
std::string last_line(const Outcome& outcome, const volume::Progress& progress, std::size_t limit);

}  // namespace mtc::mover
