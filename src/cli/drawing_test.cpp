#include "cli/drawing.hpp"

#include <gtest/gtest.h>

namespace mtc::cli {
namespace {

TEST(Drawing, TakesThePlaceOfTheLastOne) {
  Drawing drawing;
  EXPECT_EQ(drawing.replace({{" ✓", " a"}, {"", "b"}}, {80, 24}, false), " ✓ a\x1b[K\nb\x1b[K\n\x1b[J");
  EXPECT_EQ(drawing.replace({{"", "c"}}, {80, 24}, false), "\r\x1b[2Ac\x1b[K\n\x1b[J");
  EXPECT_EQ(drawing.replace({{"", "d"}}, {80, 24}, false), "\r\x1b[1Ad\x1b[K\n\x1b[J");
}

TEST(Drawing, CutsLinesBeforeTheyWrap) {
  EXPECT_EQ(Drawing().replace({{" ✓", " 23456789"}}, {8, 24}, false), " ✓ 234…\x1b[K\n\x1b[J");
}

TEST(Drawing, ShowsTheLastLinesWhereTheWindowIsLow) {
  Drawing drawing;
  const std::vector<Line> lines = {{"", "1"}, {"", "2"}, {"", "3"}};
  EXPECT_EQ(drawing.replace(lines, {80, 3}, false), "2\x1b[K\n3\x1b[K\n\x1b[J");
  EXPECT_EQ(drawing.replace(lines, {80, 3}, false), "\r\x1b[2A2\x1b[K\n3\x1b[K\n\x1b[J");
}

TEST(Drawing, ColoursTheMarkAlone) {
  EXPECT_EQ(Drawing().replace({{"x", " bad", Style::kBad}}, {80, 24}, true), "\x1b[31mx\x1b[0m bad\x1b[K\n\x1b[J");
  EXPECT_EQ(Drawing().replace({{"-", " later", Style::kFaint}}, {80, 24}, true), "\x1b[2m- later\x1b[0m\x1b[K\n\x1b[J");
}

TEST(Drawing, HidesNoCursor) {
  EXPECT_EQ(Drawing().replace({{"x", "y", Style::kGood}}, {80, 24}, true).find("\x1b[?25l"), std::string::npos);
}

}  // namespace
}  // namespace mtc::cli
