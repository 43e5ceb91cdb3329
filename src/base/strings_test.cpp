#include "base/strings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"

namespace mtc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Strings, SplitKeepsEmptyParts) {
  EXPECT_THAT(split("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(split("a,", ','), ElementsAre("a", ""));
  EXPECT_THAT(split("", ','), IsEmpty());
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
}

TEST(Strings, TrimsLineEnds) { EXPECT_EQ(trim(" token\r\n"), "token"); }

TEST(Strings, KnowsDnsNames) {
  EXPECT_TRUE(is_dns_label("shop-2"));
  EXPECT_TRUE(is_dns_label(std::string(63, 'a')));
  for (const auto& text : {std::string(), std::string(64, 'a'), std::string("-a"), std::string("a-"), std::string("A"),
                           std::string("a.b"), std::string("a_b")}) {
    EXPECT_FALSE(is_dns_label(text)) << text;
  }
  EXPECT_TRUE(is_dns_subdomain("a.b-c.d"));
  EXPECT_FALSE(is_dns_subdomain("a..b"));
}

TEST(Strings, SuggestsTheNearestWord) {
  EXPECT_EQ(nearest("clustr", {"cluster", "storage", "plan"}), "cluster");
  EXPECT_EQ(nearest("xyzzy", {"cluster", "storage", "plan"}), "");
}

TEST(Rng, IsRepeatableAndStaysInBounds) {
  SeededRng a(1), b(1);
  EXPECT_EQ(uuid4(a), uuid4(b));
  for (int i = 0; i < 1000; ++i) EXPECT_LT(a.below(7), 7u);
  EXPECT_EQ(uuid4(a)[14], '4');
  EXPECT_EQ(name_suffix(a).size(), 5u);
}

class LogTest : public testing::Test {
 protected:
  LogTest() {
    log::set_sink([this](std::string_view line) { lines_ += line; });
  }
  ~LogTest() override {
    log::set_sink({});
    log::configure(log::Level::kInfo, log::Format::kText);
  }
  std::string lines_;
};

TEST_F(LogTest, WritesOneLineWithQuotedValues) {
  log::info("first\nsecond", {{"object", "shop/web"}, {"why", "two words"}});
  EXPECT_THAT(lines_, HasSubstr("INFO first second object=shop/web why=\"two words\"\n"));
  EXPECT_EQ(std::count(lines_.begin(), lines_.end(), '\n'), 1);
}

TEST_F(LogTest, NeverShowsASecret) {
  log::info("token", {{"token", Secret("hunter2")}});
  EXPECT_THAT(lines_, Not(HasSubstr("hunter2")));
  EXPECT_THAT(lines_, HasSubstr("token=***"));
}

TEST_F(LogTest, WritesJsonAndHonoursTheLevel) {
  log::configure(log::Level::kWarn, log::Format::kJson);
  log::info("left out");
  log::warn("say \"hi\"", {{"n", 1}});
  EXPECT_THAT(lines_, HasSubstr(R"("level":"WARN","message":"say \"hi\"","n":"1"})"));
  EXPECT_THAT(lines_, Not(HasSubstr("left out")));
  EXPECT_THROW(log::parse_level("loud"), Error);
}

TEST(Strings, CountBytesInUnitsOfAThousand) {
  EXPECT_EQ(bytes_text(0), "0 bytes");
  EXPECT_EQ(bytes_text(1000), "1.00 kB");
  EXPECT_EQ(bytes_text(999'999), "1000.00 kB");
  EXPECT_EQ(bytes_text(2'500'000'000), "2.50 GB");
  EXPECT_EQ(bytes_text(9'223'372'036'854'775'807), "9.22 EB");
}

}  // namespace
}  // namespace mtc
