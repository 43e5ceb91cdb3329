#include "kube/quantity.hpp"

#include <gtest/gtest.h>

namespace mtc::kube {
namespace {

TEST(Quantity, ReadsUnitsAndExponents) {
  EXPECT_EQ(quantity("1Gi"), 1073741824);
  EXPECT_EQ(quantity("1.5k"), 1500);
  EXPECT_EQ(quantity("500m"), 0.5);
  EXPECT_EQ(quantity("2e3"), 2000);
  EXPECT_EQ(quantity("1E"), 1e18);
  EXPECT_LT(quantity("1G"), quantity("1Gi"));
}

TEST(Quantity, IsWrittenByTheLargestExactUnit) {
  EXPECT_EQ(to_quantity(0), "0");
  EXPECT_EQ(to_quantity(7), "7");
  EXPECT_EQ(to_quantity(1500), "1500");
  EXPECT_EQ(to_quantity(2000), "2k");
  EXPECT_EQ(to_quantity(0.5), "500m");
  EXPECT_EQ(to_quantity(1.0 / 3), "334m");
  EXPECT_EQ(to_quantity(quantity("64Mi") * 2), "128Mi");
  EXPECT_EQ(to_quantity(quantity("1536Mi")), "1536Mi");
  EXPECT_EQ(to_quantity(quantity("1Gi") + quantity("1G")), "2073741824");
}

TEST(Quantity, IsNothingForWhatIsNone) {
  for (const auto* text : {"", "Gi", "1 Gi", "1gi", "inf", "nan", "12x"}) EXPECT_EQ(quantity(text), 0) << text;
}

}  // namespace
}  // namespace mtc::kube
