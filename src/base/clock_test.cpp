#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace mtc {
namespace {

using namespace std::chrono_literals;

TEST(Clock, WritesAndReadsRfc3339) {
  const auto time = parse_rfc3339("2021-02-02T15:04:09Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(rfc3339(*time), "2021-02-02T15:04:09Z");
  EXPECT_EQ(rfc3339_micro(*time + 1234us), "2021-02-02T15:04:09.001234Z");
  EXPECT_EQ(iso8601_basic(*time), "20210202T150409Z");
}

TEST(Clock, ReadsFractionsAndOffsets) {
  EXPECT_EQ(parse_rfc3339("2021-02-02T16:04:09.5+01:00"), *parse_rfc3339("2021-02-02T15:04:09Z") + 500ms);
}

TEST(Clock, ReadsTimesBeyondItsReachAsTheLastItHas) {
  EXPECT_EQ(rfc3339(*parse_rfc3339("9999-12-31T23:59:59Z")), "2262-04-11T23:47:16Z");
  EXPECT_EQ(rfc3339(*parse_rfc3339("0001-01-01T00:00:00.5Z")), "1677-09-21T00:12:44Z");
}

TEST(Clock, RefusesWhatIsNoTime) {
  for (const auto* text : {"", "2021-02-02", "2021-02-02T15:04:09", "2021-13-02T15:04:09Z", "2021-02-02T15:04:09.Z",
                           "2021-02-02T15:04:09+0100", "nonsense-nonsense-nons"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Clock, PrintsDurationsAsGoDoes) {
  EXPECT_EQ(go_seconds(5s), "5s");
  EXPECT_EQ(go_seconds(0s), "0s");
  EXPECT_EQ(go_seconds(65s), "1m5s");
  EXPECT_EQ(go_seconds(1h + 5s), "1h0m5s");
  EXPECT_EQ(go_seconds(1499ms), "1s");
}

TEST(Clock, ReadsGoDurations) {
  EXPECT_EQ(parse_go_duration("1h30m"), Duration(90min));
  EXPECT_EQ(parse_go_duration("1.5s"), Duration(1500ms));
  EXPECT_EQ(parse_go_duration("300ms"), Duration(300ms));
  EXPECT_EQ(parse_go_duration("0"), Duration(0));
  EXPECT_EQ(parse_go_duration("1327160h29m37s"), Duration(4777777777s));
  for (const auto* text : {"", "5", "s", "1x", "--1s", "1s-2s", "nans", "infh"})
    EXPECT_FALSE(parse_go_duration(text)) << text;
}

}  // namespace
}  // namespace mtc
