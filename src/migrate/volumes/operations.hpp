#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "migrate/volumes/copying.hpp"
#include "migrate/volumes/mover_report.hpp"

namespace mtc::migrate::volumes {

/// The copy of one claim, as status.rsyncOperations keeps it over restarts of the controller.
struct Operation {
  api::Ref claim;            ///< of the source
  std::int64_t attempt = 0;  ///< the one at work; 0 = not begun
  bool succeeded = false;
  bool failed = false;
  std::string relay_failure;  ///< why the relay of its sender failed last; "" if it has none, or one that works
  Json result;  ///< once it has succeeded: "files" or "device", "bytes", "movedBytes", "verified", "root", for the
                ///< report; else null

  bool ended() const { return succeeded || failed; }
  bool active() const { return attempt > 0 && !ended(); }
};
/// What the ends of a copy that has succeeded say of it.
Json result_of(const PodView& sender, const PodView& receiver);
/// One for each claim of the spec, in its order.
std::vector<Operation> read_operations(const Copying& c);
void write_operations(const std::vector<Operation>& operations, Json& status);

/// What an operation's two pods call for.
struct Move {
  enum class What {
    kWait,
    kCreateReceiver,
    kCreateSender,
    kClear,  ///< the attempt has failed: pods that are still at work must go first
    kPause,  ///< before the next attempt: `pause`
    kNextAttempt,
    kSucceed,
    kFail,  ///< for good: `cause`
  } what = What::kWait;
  std::string cause;
  Duration pause{};
};
/// Pure: decides by what is seen of the current attempt. A copy has succeeded when both ends say so, and at a cutover
/// only if it was read back and found equal (spec direct-volume.md §9.1; its BUG 2 and 20 are not ours).
Move next_move(const PodView& sender, const PodView& receiver, std::int64_t attempt, std::int64_t attempts,
               bool must_verify, Time now);

}  // namespace mtc::migrate::volumes
