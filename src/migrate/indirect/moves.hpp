#pragma once

#include <cstdint>
#include <string>

#include "migrate/volumes/mover_report.hpp"

namespace mtc::migrate::indirect {

/// What the report of a mover must say for its claim to count as done.
struct Proof {
  bool snapshot = false;  ///< the snapshot that it made
  bool verified = false;  ///< that the volume was read back and is equal to the snapshot
};

/// What a claim calls for.
struct Move {
  enum class What {
    kWait,
    kCreate,  ///< the pod of this attempt
    kPause,   ///< before the next attempt: `pause`
    kNextAttempt,
    kSucceed,
    kFail,  ///< for good: `cause`
  } what = What::kWait;
  std::string cause;
  Duration pause{};
};
/// Pure: decides by what is seen of the pod of the current attempt.
Move next_move(const volumes::PodView& pod, std::int64_t attempt, std::int64_t attempts, Proof proof, Time now);

}  // namespace mtc::migrate::indirect
