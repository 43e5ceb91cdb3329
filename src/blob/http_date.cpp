#include "blob/http_date.hpp"

#include <array>

#include <fmt/format.h>

namespace mtc::blob {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

std::string http_date(Time time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const auto midnight = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss clock(second - midnight);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays.at(std::chrono::weekday(midnight).c_encoding()),
                     static_cast<unsigned>(date.day()), kMonths.at(static_cast<unsigned>(date.month()) - 1),
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::optional<Time> parse_http_date(std::string_view text) {
  constexpr std::string_view kShape = "Sun, 06 Nov 1994 08:49:37 GMT";
  if (text.size() != kShape.size()) return std::nullopt;
  std::size_t month = 0;
  while (month < kMonths.size() && kMonths.at(month) != text.substr(8, 3)) ++month;
  // RFC 3339 has the same digits in another order, and its reader checks them.
  const auto time = parse_rfc3339(
      fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4), month + 1, text.substr(5, 2), text.substr(17, 8)));
  return time && http_date(*time) == text ? time : std::nullopt;
}

}  // namespace mtc::blob
