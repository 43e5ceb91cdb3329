#include "plan/converted_names.hpp"

#include <gtest/gtest.h>

namespace mtc::plan {
namespace {

std::string converted(const std::string& claim, std::optional<SetClaim> of_set = std::nullopt) {
  return ConvertedNames("ab12").name_for({"shop", claim}, of_set);
}

TEST(ConvertedNames, EndInThePlansSuffix) {
  EXPECT_EQ(converted("data"), "data-mig-ab12");
  EXPECT_EQ(converted("data-db-0", SetClaim{"db", "data", "0"}), "data-mig-ab12-db-0");
  EXPECT_EQ(converted("data-db-10", SetClaim{"db", "data", "10"}), "data-mig-ab12-db-10");
}

TEST(ConvertedNames, DoNotStackWhatEarlierConversionsAppended) {
  EXPECT_EQ(converted("data-mig-zz99"), "data-mig-ab12");
  EXPECT_EQ(converted("data-new"), "data-mig-ab12");
  EXPECT_EQ(converted("data-mig-zz99-db-0", SetClaim{"db", "data-mig-zz99", "0"}), "data-mig-ab12-db-0");
  EXPECT_EQ(converted("data-new-db-0", SetClaim{"db", "data-new", "0"}), "data-mig-ab12-db-0");
}

TEST(ConvertedNames, LeaveOtherNamesWhole) {
  EXPECT_EQ(converted("data-mig-longer"), "data-mig-longer-mig-ab12");
  EXPECT_EQ(converted("-new"), "-new-mig-ab12");
  EXPECT_EQ(converted("renew"), "renew-mig-ab12");
}

TEST(ConvertedNames, KeepApartWhatWouldMeet) {
  ConvertedNames names("ab12");
  EXPECT_EQ(names.name_for({"shop", "data"}, std::nullopt), "data-mig-ab12");
  EXPECT_EQ(names.name_for({"shop", "data-new"}, std::nullopt), "data-new-mig-ab12");
  EXPECT_EQ(names.name_for({"blog", "data"}, std::nullopt), "data-mig-ab12") << "another namespace";
}

TEST(ConvertedNames, FitWhereTheyAreUsed) {
  const auto name = converted(std::string(253, 'a'));
  EXPECT_EQ(name.size(), 253u);
  EXPECT_TRUE(name.ends_with("-mig-ab12"));
  const auto of_set = converted(std::string(63, 'a') + "-db-0", SetClaim{"db", std::string(63, 'a'), "0"});
  EXPECT_EQ(of_set.size(), 63u + 5u) << "the template names a volume of the pod";
  EXPECT_TRUE(of_set.ends_with("-mig-ab12-db-0"));
}

}  // namespace
}  // namespace mtc::plan
