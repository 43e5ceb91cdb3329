#include "http/url.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace mtc::http {
namespace {

TEST(Url, ReadsItsParts) {
  const auto url = Url::parse("HTTPS://Example.com:8443/a%20b?x=1#frag");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.path, "/a%20b");
  EXPECT_EQ(url.query, "x=1");
  EXPECT_EQ(url.str(), "https://example.com:8443/a%20b?x=1");
}

TEST(Url, KnowsTheSchemesPorts) {
  EXPECT_EQ(Url::parse("http://a").port, 80);
  EXPECT_EQ(Url::parse("https://a?x").port, 443);
  EXPECT_EQ(Url::parse("https://a:443/").authority(), "a");
  EXPECT_EQ(Url::parse("https://a:80/").authority(), "a:80");
}

TEST(Url, PutsBracketsAroundIpv6) {
  const auto url = Url::parse("http://[FD00::1]:8080/");
  EXPECT_EQ(url.host, "fd00::1");
  EXPECT_EQ(url.authority(), "[fd00::1]:8080");
}

TEST(Url, RefusesWhatIsNone) {
  for (const auto* bad : {"", "example.com", "ftp://x", "http://", "http://:80", "http://x:0", "http://x:99999",
                          "http://x:8o", "http://u:p@x", "http://x y", "http://x\r\nEvil: y", "http://[::1",
                          "http://[::1]x", "http://[[x]", "http://a]"}) {
    EXPECT_THROW(Url::parse(bad), Error) << bad;
  }
}

TEST(Query, GoesThereAndBack) {
  const Query query = {{"a", "x y+z"}, {"b", "/&=%"}, {"c", ""}};
  EXPECT_EQ(encode_query(query), "a=x%20y%2Bz&b=%2F%26%3D%25&c=");
  EXPECT_EQ(decode_query(encode_query(query)), query);
  EXPECT_EQ(encode_query({}), "");
}

TEST(Query, ReadsWhatFormsAndHandsWrite) {
  const Query expected = {{"a", "x y"}, {"watch", ""}, {"b", "2"}};
  EXPECT_EQ(decode_query("a=x+y&&watch&b=2&broken=%zz"), expected);
}

}  // namespace
}  // namespace mtc::http
