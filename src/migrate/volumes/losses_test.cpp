#include "migrate/volumes/losses.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mtc::migrate::volumes {
namespace {

using testing::HasSubstr;

/// The conditions after one claim was copied whose sender and receiver ended with this line.
api::Conditions told(std::string_view line) {
  api::Conditions conditions(Json::array(), system_clock());
  Losses losses;
  losses.add({"shop", "data"}, parse_report(line));
  losses.add({"shop", "data"}, parse_report(line));  // the other end
  losses.tell(conditions);
  return conditions;
}

TEST(Losses, AWholeCopyTellsNone) {
  EXPECT_TRUE(told(R"({"phase":"done","skipped":[],"notes":[]})").current().empty());
}

TEST(Losses, AreWarningsThatStay) {
  const auto conditions = told(R"({"phase":"done","skipped":["log/today","log/now"],"notes":["not kept: owner"]})");
  const auto* skipped = conditions.find(kFilesSkipped);
  ASSERT_NE(skipped, nullptr);
  EXPECT_EQ(skipped->category, api::Category::kWarn);
  EXPECT_TRUE(skipped->durable);
  EXPECT_THAT(skipped->items, testing::ElementsAre("shop/data: log/now", "shop/data: log/today"));
  EXPECT_THAT(conditions.find(kAttributesNotKept)->items, testing::ElementsAre("shop/data: not kept: owner"));
}

TEST(Losses, NameAFewOfMany) {
  Json paths = Json::array();
  for (int i = 0; i < 30; ++i) paths.push_back(std::to_string(i));
  const auto conditions = told(dump({{"phase", "done"}, {"skipped", paths}}));
  const auto* skipped = conditions.find(kFilesSkipped);
  ASSERT_NE(skipped, nullptr);
  EXPECT_EQ(skipped->items.size(), 20U);
  EXPECT_THAT(skipped->message, HasSubstr("And 10 more."));
}

}  // namespace
}  // namespace mtc::migrate::volumes
