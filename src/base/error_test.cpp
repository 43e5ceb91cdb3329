#include "base/error.hpp"

#include <gtest/gtest.h>

namespace mtc {
namespace {

TEST(Error, ReadsFromTheOutsideIn) {
  Error error(Code::kUnavailable, "connection reset");
  error.with_context("list pods in shop").with_context("back up shop");
  EXPECT_STREQ(error.what(), "back up shop: list pods in shop: connection reset");
  EXPECT_EQ(error.message(), "connection reset");
}

TEST(Error, OnlyWhatMayPassByItselfIsTransient) {
  EXPECT_TRUE(Error(Code::kTimeout, "x").transient());
  EXPECT_TRUE(Error(Code::kThrottled, "x").transient());
  EXPECT_TRUE(Error(Code::kUnavailable, "x").transient());
  EXPECT_FALSE(Error(Code::kConflict, "x").transient());
  EXPECT_FALSE(Error(Code::kForbidden, "x").transient());
  EXPECT_FALSE(Error(Code::kTls, "x").transient());
}

}  // namespace
}  // namespace mtc
