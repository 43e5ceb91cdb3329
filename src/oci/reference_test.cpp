#include "oci/reference.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace mtc::oci {
namespace {

using ::testing::HasSubstr;

const std::string kDigest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

std::string normal(const std::string& text) { return Reference::parse(text).str(); }

std::string refusal_of(const std::string& text) {
  try {
    return "read as " + normal(text);
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Reference, ComesIntoDockersNormalForm) {
  EXPECT_EQ(normal("busybox"), "docker.io/library/busybox");
  EXPECT_EQ(normal("busybox:1.36"), "docker.io/library/busybox:1.36");
  EXPECT_EQ(normal("shop/web"), "docker.io/shop/web");
  EXPECT_EQ(normal("index.docker.io/web"), "docker.io/library/web");
  EXPECT_EQ(normal("quay.io/a/b/c:v1"), "quay.io/a/b/c:v1");
  EXPECT_EQ(normal("localhost/web"), "localhost/web");
  EXPECT_EQ(normal("localhost:5000/web:5000"), "localhost:5000/web:5000");
  EXPECT_EQ(normal("[fd00::1]:5000/web"), "[fd00::1]:5000/web");
  EXPECT_EQ(normal("web:5000/x"), "web:5000/x");
  EXPECT_EQ(normal("q.io/a-b/c_d/e__f/g.h/i---j:x_Y.z-9"), "q.io/a-b/c_d/e__f/g.h/i---j:x_Y.z-9");
}

TEST(Reference, MayHaveADigestWhichDecides) {
  const auto both = Reference::parse("quay.io/shop/web:v1@" + kDigest);
  EXPECT_EQ(both.str(), "quay.io/shop/web:v1@" + kDigest);
  EXPECT_EQ(both.target(), kDigest);
  EXPECT_EQ(both.name(), "quay.io/shop/web");
  EXPECT_EQ(Reference::parse("quay.io/shop/web:v1").target(), "v1");
  EXPECT_EQ(Reference::parse("quay.io/shop/web").target(), "latest");
}

TEST(Reference, HasBounds) {
  const std::string tag(128, 't'), name(250, 'n');
  EXPECT_EQ(Reference::parse("q.io/web:" + tag).tag, tag);
  EXPECT_EQ(Reference::parse("q.io/shop/" + name).repository, "shop/" + name);
  EXPECT_THAT(refusal_of("q.io/web:" + tag + "t"), HasSubstr("a tag is at most 128"));
  EXPECT_THAT(refusal_of("q.io/shop/" + name + "n"), HasSubstr("longer than 255"));
}

TEST(Reference, RefusesWhatNamesNoImage) {
  EXPECT_THAT(refusal_of("quay.io/Shop/web"), HasSubstr("must be lower case"));
  EXPECT_THAT(refusal_of("quay.io/web@sha256:12"), HasSubstr("its digest is none"));
  EXPECT_THAT(refusal_of("-host.io/web"), HasSubstr("its registry is no host"));
  for (const auto* text : {"",
                           "/",
                           "web/",
                           "/web",
                           "a//b",
                           "a..b",
                           "a._b",
                           "_a",
                           "a_",
                           "a___b",
                           "web:",
                           "web:-x",
                           "quay.io:/web",
                           "quay.io:x/web",
                           "quay.io:123456/web",
                           "[::1/web",
                           "[]:5/web",
                           "we b",
                           "https://quay.io/web",
                           "quay.io/web:a:b"}) {
    EXPECT_THAT(refusal_of(text), HasSubstr("names no image")) << text;
  }
}

}  // namespace
}  // namespace mtc::oci
