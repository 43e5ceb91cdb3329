#include "http/message.hpp"

#include <gtest/gtest.h>

namespace mtc::http {
namespace {

TEST(Headers, CompareNamesWithoutCaseAndKeepTheirOrder) {
  Headers headers = {{"Accept", "a"}, {"X", "1"}, {"accept", "b"}};
  EXPECT_EQ(headers.get("ACCEPT"), "a");
  EXPECT_FALSE(headers.has("Host"));
  EXPECT_EQ(headers.get("Host"), "");
  headers.set("aCCept", "c");
  EXPECT_EQ(headers.redacted(), "X: 1, aCCept: c");
  headers.remove("x");
  EXPECT_EQ(headers.fields().size(), 1u);
}

TEST(Headers, AreRedactedForLogs) {
  const Headers headers = {{"authorization", "Bearer hunter2"}, {"Accept", "x"}, {"X-Amz-Security-Token", "hunter2"}};
  EXPECT_EQ(headers.redacted(), "authorization: ***, Accept: x, X-Amz-Security-Token: ***");
}

TEST(RetryAfter, IsReadInSecondsAndBounded) {
  using std::chrono::seconds;
  EXPECT_EQ(retry_after({{"Retry-After", "7"}}), seconds(7));
  EXPECT_EQ(retry_after({{"Retry-After", "86400"}}), seconds(60));
  EXPECT_EQ(retry_after({}), std::nullopt);
  for (const auto* text : {"", "-1", "7s", "99999999999999", "Sun, 06 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(retry_after({{"Retry-After", text}}), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace mtc::http
