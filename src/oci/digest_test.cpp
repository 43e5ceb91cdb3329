#include "oci/digest.hpp"

#include <string>

#include <gtest/gtest.h>

namespace mtc::oci {
namespace {

constexpr const char* kOfAbc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Digest, IsReadAndHeldAgainstBytes) {
  EXPECT_EQ(Digest::of("abc").str(), kOfAbc);
  EXPECT_EQ(Digest::parse(kOfAbc), Digest::of("abc"));
  EXPECT_TRUE(Digest::parse(kOfAbc)->names("abc"));
  EXPECT_FALSE(Digest::parse(kOfAbc)->names("abd"));
}

TEST(Digest, MayBeOfSha512) {
  const auto digest = Digest::parse(
      "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  ASSERT_TRUE(digest);
  EXPECT_TRUE(digest->names("abc"));
  DigestVerifier verifier(*digest);
  verifier.update("a");
  verifier.update("bc");
  EXPECT_TRUE(verifier.matches());
}

TEST(Digest, OtherTextIsNone) {
  const std::string abc = kOfAbc;
  for (const auto& text :
       {std::string(), abc.substr(0, 70), abc + "0", "SHA256" + abc.substr(6), "md5:" + abc.substr(7, 32),
        abc.substr(0, 70) + "G", abc.substr(0, 70) + "D", abc.substr(7)}) {
    EXPECT_FALSE(Digest::parse(text)) << text;
  }
}

TEST(DigestVerifier, SeesWhatIsMissing) {
  DigestVerifier verifier(Digest::of("abc"));
  verifier.update("ab");
  EXPECT_FALSE(verifier.matches());
}

}  // namespace
}  // namespace mtc::oci
