#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/paced.hpp"
#include "volume/read_pace.hpp"

namespace mtc::mover {

/// What a mover may use while others work beside it. Shared by all that it does.
struct Budget {
  net::PacePtr bytes = std::make_shared<async::Pace>();  ///< of what it says and hears on the network
  std::shared_ptr<volume::ReadPace> reads = std::make_shared<volume::ReadPace>();  ///< of the volume it copies from
};

/// The least that a mover gets, so that whoever is at the other end does not take it for dead.
inline constexpr double kLeastBytesPerSecond = 64 * 1024;

/// Heeds `{"bytesPerSecond": 1000000, "iops": 200}`; what is absent or 0 is without bound. Throws Error(kInvalid) for
/// what is no such object, and changes nothing then.
void heed(const Budget& budget, const std::string& text);

/// Reads `file` each second until cancelled, and heeds it. It may be absent. `say` hears what is wrong in it, once.
Task<void> follow_budget(Budget budget, std::string file, std::function<void(const std::string&)> say);

}  // namespace mtc::mover
