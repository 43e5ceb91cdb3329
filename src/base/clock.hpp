#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace mtc {

using Duration = std::chrono::nanoseconds;
/// Wall time, UTC.
using Time = std::chrono::system_clock::time_point;

/// The only source of wall time. Code takes a `const Clock&`; `system_clock::now` elsewhere is refused by tools/check.
/// Implementations may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

/// The machine's clock.
const Clock& system_clock();

/// "2021-02-02T15:04:09Z": RFC 3339, UTC, whole seconds (rounded down), as Kubernetes writes metav1.Time.
std::string rfc3339(Time time);
/// "2021-02-02T15:04:09.123456Z": RFC 3339 with microseconds, as Kubernetes writes metav1.MicroTime.
std::string rfc3339_micro(Time time);
/// Reads RFC 3339 with any fraction and any offset; nullopt if it is not one. What lies beyond a Time (1677 to 2262) is
/// read as its first or last second.
std::optional<Time> parse_rfc3339(std::string_view text);
/// "20210202T150409Z": the basic ISO 8601 form of AWS signatures.
std::string iso8601_basic(Time time);
/// "1h2m3s", "5s", "0s": Go's duration text rounded to whole seconds, as Velero and MTC print elapsed times.
std::string go_seconds(Duration duration);
/// Reads Go duration text ("1h30m", "1.5s", "300ms", "-2m"); nullopt if it is not one.
std::optional<Duration> parse_go_duration(std::string_view text);

}  // namespace mtc
