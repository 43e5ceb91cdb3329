#include "base/signature.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace mtc {
namespace {

// RFC 8032 §7.1, test 2, its key wrapped as RFC 8410 §7 says.
TEST(Signature, SignsAsTheStandardSays) {
  const Secret key("-----BEGIN PRIVATE KEY-----\n" +
                   base64_encode(*unhex("302e020100300506032b657004220420"
                                        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")) +
                   "\n-----END PRIVATE KEY-----\n");
  EXPECT_EQ(hex(sign(key, "\x72")),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Signature, HoldsForThisMessageAndThisKeyAlone) {
  const auto key = make_signing_key(), other = make_signing_key();
  const auto signature = sign(key.private_pem, "message");
  EXPECT_EQ(signature.size(), 64U);
  EXPECT_TRUE(is_signed(key.public_pem, "message", signature));
  EXPECT_FALSE(is_signed(key.public_pem, "massage", signature));
  EXPECT_FALSE(is_signed(other.public_pem, "message", signature));
  EXPECT_FALSE(is_signed(key.public_pem, "message", signature.substr(1)));
  EXPECT_FALSE(is_signed(key.public_pem, "message", ""));
}

TEST(Signature, KeysHaveNamesOfTheirOwn) {
  const auto key = make_signing_key(), other = make_signing_key();
  EXPECT_EQ(key_id(key.public_pem).size(), 64U);
  EXPECT_EQ(key_id(key.public_pem), key_id(key.public_pem));
  EXPECT_NE(key_id(key.public_pem), key_id(other.public_pem));
}

TEST(Signature, WhatIsNoKeyIsRefused) {
  EXPECT_THROW(sign(Secret("nothing"), "message"), Error);
  EXPECT_THROW(sign(Secret(make_signing_key().public_pem), "message"), Error);
  EXPECT_THROW(is_signed("", "message", ""), Error);
  EXPECT_THROW(key_id(make_signing_key().private_pem.reveal()), Error);
}

}  // namespace
}  // namespace mtc
