#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "migrate/volumes/mover_report.hpp"

namespace mtc::migrate::volumes {

/// Why an attempt of a mover has failed.
struct Failure {
  std::string cause;
  bool retry = true;  ///< whether the same again may succeed
};
/// How a pod that has ended without success explains itself.
Failure failure_of(const PodView& pod);
/// It ended well, and said so itself.
bool is_done(const PodView& pod);
/// A pod that has not started within an hour never will.
std::optional<Failure> stuck(const PodView& pod, Time now);

/// What follows a failed attempt: the end, with a cause that tells how many there were, or the next one after a pause.
struct Next {
  bool over = false;
  std::string cause;
  Duration pause{};  ///< zero = at once
};
/// `ended` is when the attempt ended; Time::min() if that is not known. Pauses are 1, 2, 4 … 60 seconds.
Next next_after(const Failure& failure, std::int64_t attempt, std::int64_t attempts, Time ended, Time now);

}  // namespace mtc::migrate::volumes
