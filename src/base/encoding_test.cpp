#include "base/encoding.hpp"

#include <gtest/gtest.h>

#include "base/hash.hpp"
#include "base/rng.hpp"

namespace mtc {
namespace {

TEST(Base64, MatchesRfc4648) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(base64_encode(plain), coded);
    EXPECT_EQ(base64_decode(coded), plain);
  }
}

TEST(Base64, RoundTripsRandomBytes) {
  SeededRng rng(7);
  for (int i = 0; i < 200; ++i) {
    std::string bytes(rng.below(100), '\0');
    for (auto& c : bytes) c = static_cast<char>(rng.below(256));
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
    EXPECT_EQ(unhex(hex(bytes)), bytes);
    EXPECT_EQ(percent_decode(percent_encode(bytes)), bytes);
  }
}

TEST(Base64, RefusesWhatIsNotBase64) {
  for (const auto* text : {"Zg", "Zg=", "Z", "Zg==Zg==", "Z!==", "====", "Zm9v="})
    EXPECT_FALSE(base64_decode(text)) << text;
  EXPECT_EQ(base64_decode("Zm9v\nYmFy\n"), "foobar");
}

TEST(Percent, EncodesAsSigV4Wants) {
  EXPECT_EQ(percent_encode("a b/c~d+é"), "a%20b%2Fc~d%2B%C3%A9");
  EXPECT_EQ(percent_encode("a/b", KeepSlash::kYes), "a/b");
  EXPECT_FALSE(percent_decode("%4"));
  EXPECT_FALSE(percent_decode("%zz"));
}

TEST(Hash, MatchesPublishedVectors) {
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  Sha256 stream;
  stream.update("a");
  stream.update("bc");
  EXPECT_EQ(stream.finish(), sha256("abc"));
  EXPECT_EQ(hex(sha512("abc")).substr(0, 32), "ddaf35a193617abacc417349ae204131");
  Hasher other(HashKind::kSha512);
  other.update("abc");
  EXPECT_EQ(other.finish(), sha512("abc"));
}

}  // namespace
}  // namespace mtc
