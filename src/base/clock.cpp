#include "base/clock.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <ctime>

#include <fmt/format.h>

namespace mtc {
namespace {

class SystemClock final : public Clock {
 public:
  Time now() const override { return std::chrono::system_clock::now(); }
};

struct CivilTime {
  std::tm tm{};
  std::int64_t micros = 0;
};

CivilTime civil(Time time) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
  std::int64_t seconds = micros / 1'000'000;
  std::int64_t fraction = micros % 1'000'000;
  if (fraction < 0) {
    fraction += 1'000'000;
    --seconds;
  }
  CivilTime out;
  const auto t = static_cast<std::time_t>(seconds);
  gmtime_r(&t, &out.tm);
  out.micros = fraction;
  return out;
}

std::string format_date(const std::tm& tm) {
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                     tm.tm_min, tm.tm_sec);
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

struct Unit {
  std::string_view name;
  long double nanos;
};
// Longest first, so that "ms" is not read as "m".
constexpr Unit kUnits[] = {{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::string rfc3339(Time time) { return format_date(civil(time).tm) + "Z"; }

std::string rfc3339_micro(Time time) {
  const auto parts = civil(time);
  return fmt::format("{}.{:06}Z", format_date(parts.tm), parts.micros);
}

std::string iso8601_basic(Time time) {
  const auto tm = civil(time).tm;
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                     tm.tm_min, tm.tm_sec);
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  if (*month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  std::size_t at = 19;
  std::int64_t nanos = 0;
  if (at < text.size() && text[at] == '.') {
    std::int64_t scale = 100'000'000;
    const auto first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) nanos += (text[at] - '0') * scale;
    if (at == first) return std::nullopt;
  }
  std::int64_t offset = 0;
  const auto zone = text.substr(at);
  if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
    const auto h = digits(zone, 1, 2), m = digits(zone, 4, 2);
    if (!h || !m) return std::nullopt;
    offset = (std::int64_t{*h} * 60 + *m) * 60 * (zone[0] == '-' ? -1 : 1);
  } else if (zone != "Z" && zone != "z") {
    return std::nullopt;
  }
  std::tm tm{};
  tm.tm_year = *year - 1900;
  tm.tm_mon = *month - 1;
  tm.tm_mday = *day;
  tm.tm_hour = *hour;
  tm.tm_min = *minute;
  tm.tm_sec = *second;
  const std::chrono::seconds whole(timegm(&tm) - offset);
  // Nanoseconds reach from 1677 to 2262; a certificate may well say that it ends in 9999.
  constexpr auto kFirst = std::chrono::ceil<std::chrono::seconds>(Time::min().time_since_epoch());
  constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(Time::max().time_since_epoch());
  if (whole <= kFirst || whole >= kLast) return Time{} + std::clamp(whole, kFirst, kLast);
  return Time{} + whole + std::chrono::duration_cast<Time::duration>(std::chrono::nanoseconds(nanos));
}

std::string go_seconds(Duration duration) {
  auto seconds = std::chrono::round<std::chrono::seconds>(duration).count();
  const std::string sign = seconds < 0 ? "-" : "";
  if (seconds < 0) seconds = -seconds;
  const auto hours = seconds / 3600, minutes = seconds / 60 % 60;
  if (hours > 0) return fmt::format("{}{}h{}m{}s", sign, hours, minutes, seconds % 60);
  if (minutes > 0) return fmt::format("{}{}m{}s", sign, minutes, seconds % 60);
  return fmt::format("{}{}s", sign, seconds);
}

std::optional<Duration> parse_go_duration(std::string_view text) {
  // A double does not hold every number of nanoseconds.
  long double sign = 1, total = 0;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  if (text == "0") return Duration{0};
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    long double value = 0;
    if (!std::string_view(".0123456789").contains(text[0]))
      return std::nullopt;  // from_chars also reads "inf" and "nan"
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (failed != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    bool known = false;
    for (const auto& unit : kUnits) {
      if (!text.starts_with(unit.name)) continue;
      total += value * unit.nanos;
      text.remove_prefix(unit.name.size());
      known = true;
      break;
    }
    if (!known) return std::nullopt;
  }
  // Go's own limit: an int64 of nanoseconds, about 292 years.
  if (total > 9.2e18L) return std::nullopt;
  return Duration{std::llround(sign * total)};
}

}  // namespace mtc
