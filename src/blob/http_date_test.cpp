#include "blob/http_date.hpp"

#include <gtest/gtest.h>

namespace mtc::blob {
namespace {

TEST(HttpDate, IsWrittenAndReadAsRfc9110Has) {
  const auto time = *parse_rfc3339("1994-11-06T08:49:37Z");
  EXPECT_EQ(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), time);
}

TEST(HttpDate, EveryDayOfALeapYearComesBack) {
  const auto start = *parse_rfc3339("2024-01-01T23:59:59Z");
  for (int day = 0; day < 366; ++day) {
    const auto time = start + std::chrono::days(day);
    EXPECT_EQ(parse_http_date(http_date(time)), time) << http_date(time);
  }
}

TEST(HttpDate, OtherTextIsNone) {
  for (const auto* text :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Xxx 1994 08:49:37 GMT", "Sun, 0x Nov 1994 08:49:37 GMT",
        "Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Thu, 31 Feb 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace mtc::blob
