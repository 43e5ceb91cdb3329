#include "cli/table.hpp"

#include <gtest/gtest.h>

#include "cli/text.hpp"

namespace mtc::cli {
namespace {

TEST(Text, CountsCharactersAndNotBytes) {
  EXPECT_EQ(columns_of("✓ ok"), 4u);
  EXPECT_EQ(columns_of(""), 0u);
}

TEST(Text, IsCutBetweenCharacters) {
  EXPECT_EQ(cut("häuser", 6), "häuser");
  EXPECT_EQ(cut("häuser", 3), "hä…");
  EXPECT_EQ(cut("häuser", 1), "…");
  EXPECT_EQ(cut("häuser", 0), "");
}

TEST(Text, HasNothingThatATerminalObeys) { EXPECT_EQ(one_line("a\x1b[2Jb\nc"), "a [2Jb c"); }

TEST(Table, HasColumnsAsWideAsTheirWidestCell) {
  EXPECT_EQ(format_table({"NAME", "READY"}, {{"a-long-name", "True"}, {"b", "False"}}),
            "NAME         READY\n"
            "a-long-name  True\n"
            "b            False\n");
}

TEST(Table, TakesShortRowsAndEmptyCells) {
  EXPECT_EQ(format_table({"A", "B", "C"}, {{"1"}, {"2", "", "3"}}), "A  B  C\n1\n2     3\n");
}

TEST(Table, StandsWithCharactersOfSeveralBytes) { EXPECT_EQ(format_table({"A", "B"}, {{"ä", "x"}}), "A  B\nä  x\n"); }

TEST(Table, KeepsEachRowOnItsLine) { EXPECT_EQ(format_table({"A"}, {{"x\ny"}}), "A\nx y\n"); }

}  // namespace
}  // namespace mtc::cli
