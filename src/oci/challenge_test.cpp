#include "oci/challenge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mtc::oci {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Challenge, OfATokenServerIsRead) {
  const auto all = parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push")");
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].scheme, "bearer");
  EXPECT_EQ(all[0].parameter("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(all[0].parameter("scope"), "repository:a/b:pull,push");
  EXPECT_EQ(all[0].parameter("error"), "");
}

TEST(Challenge, MayComeWithOthersInOneField) {
  const auto all =
      parse_challenges(R"( Negotiate, Basic Realm = "a \"b\", c" , charset=UTF-8,Bearer realm=x, error="e")");
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].scheme, "negotiate");
  EXPECT_THAT(all[0].parameters, IsEmpty());
  EXPECT_EQ(all[1].parameter("realm"), "a \"b\", c");
  EXPECT_EQ(all[1].parameter("charset"), "UTF-8");
  EXPECT_EQ(all[2].scheme, "bearer");
  EXPECT_EQ(all[2].parameter("error"), "e");
}

TEST(Challenge, ThatIsBrokenEndsTheList) {
  EXPECT_THAT(parse_challenges(""), IsEmpty());
  EXPECT_THAT(parse_challenges("\"Bearer\""), IsEmpty());
  const auto cut = parse_challenges(R"(Basic realm="a", Bearer realm="b)");
  ASSERT_FALSE(cut.empty());
  EXPECT_EQ(cut[0].parameter("realm"), "a");
  for (std::size_t i = 1; i < cut.size(); ++i) EXPECT_EQ(cut[i].parameter("realm"), "");
}

}  // namespace
}  // namespace mtc::oci
