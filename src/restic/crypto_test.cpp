#include "restic/crypto.hpp"

#include <cstring>

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "restic/key_file.hpp"
#include "restic/polynomial.hpp"

namespace mtc::restic {
namespace {

void set(std::array<std::uint8_t, 16>& bytes, std::string_view text) {
  std::memcpy(bytes.data(), unhex(text)->data(), bytes.size());
}

struct Vector {
  std::string_view message, k, r, nonce, mac;
};

// Appendix B of the paper.
TEST(Poly1305Aes, GivesTheMacsOfItsPaper) {
  for (const auto& [message, k, r, nonce, mac] : {
           Vector{"f3f6", "ec074c835580741701425b623235add6", "851fc40c3467ac0be05cc20404f3f700",
                  "fb447350c4e868c52ac3275cf9d4327e", "f4c633c3044fc145f84f335cb81953de"},
           Vector{"", "75deaa25c09f208e1dc4ce6b5cad3fbf", "a0f3080000f46400d0c7e9076c834403",
                  "61ee09218d29b0aaed7e154a2c5509cc", "dd3fab2251f11ac759f0887129cc2ee7"},
           Vector{"663cea190ffb83d89593f3f476b6bc24d7e679107ea26adb8caf6652d0656136",
                  "6acb5f61a7176dd320c5c1eb2edcdc74", "48443d0bb0d21109c89a100b5ce2c208",
                  "ae212a55399729595dea458bc621ff0e", "0ee1c16bb73f0f4fd19881753c01cdbe"},
       }) {
    Key key;
    set(key.mac_k, k);
    set(key.mac_r, r);
    EXPECT_EQ(hex(poly1305_aes(key, *unhex(nonce), *unhex(message))), mac);
  }
}

TEST(Encrypt, GivesBackWhatWentIn) {
  const auto key = make_key();
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 100'000U}) {
    const std::string plain(size, 'x');
    const auto sealed = encrypt(key, plain);
    EXPECT_EQ(sealed.size(), size + kSealOverhead);
    EXPECT_EQ(decrypt(key, sealed), plain);
  }
  EXPECT_NE(encrypt(key, "same"), encrypt(key, "same"));
}

TEST(Encrypt, RefusesEveryFlippedBitAndAnotherKey) {
  const auto key = make_key();
  const auto sealed = encrypt(key, "attack at dawn");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] ^= 1;
    EXPECT_EQ(decrypt(key, changed), std::nullopt) << "byte " << i;
    EXPECT_EQ(decrypt(key, sealed.substr(0, i)), std::nullopt) << "cut to " << i;
  }
  EXPECT_EQ(decrypt(make_key(), sealed), std::nullopt);
}

TEST(Polynomial, IsIrreducibleOfDegree53) {
  EXPECT_TRUE(is_chunker_polynomial(0x25b468838dcb75));   // of restic's design document
  EXPECT_TRUE(is_chunker_polynomial(0x3DA3358B4DC173));   // of restic's tests
  EXPECT_FALSE(is_chunker_polynomial(0x25b468838dcb74));  // x divides it
  EXPECT_FALSE(is_chunker_polynomial(1ULL << 53U | 1U));  // x + 1 divides it
  EXPECT_FALSE(is_chunker_polynomial(0x3DA3358B4DC173 << 1U));
  EXPECT_FALSE(is_chunker_polynomial(0b111));
  EXPECT_FALSE(is_chunker_polynomial(0));
  SeededRng rng(1);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(is_chunker_polynomial(random_polynomial(rng)));
}

TEST(KeyFile, OpensWithItsPasswordAlone) {
  const auto key = make_key();
  const auto text = make_key_file(key, Secret("right"), Time{});
  const auto file = decode_key_file(text);
  EXPECT_EQ(open_key_file(file, Secret("right")), key);
  EXPECT_EQ(open_key_file(file, Secret("wrong")), std::nullopt);
  EXPECT_EQ(text.find(base64_encode({reinterpret_cast<const char*>(key.encrypt.data()), 32})), std::string::npos);
}

TEST(KeyFile, RefusesParametersThatTakeTooLong) {
  const auto with = [](std::string_view parameters) {
    return decode_key_file(R"({"kdf":"scrypt","salt":"AAAAAAAAAAAAAAAA","data":"",)" + std::string(parameters) + "}");
  };
  EXPECT_NO_THROW(with(R"("N":65536,"r":8,"p":1)"));
  EXPECT_THROW(with(R"("N":1073741824,"r":8,"p":1)"), Error);
  EXPECT_THROW(with(R"("N":65536,"r":1024,"p":1)"), Error);
  EXPECT_THROW(with(R"("N":8192,"r":8,"p":1024)"), Error);
  EXPECT_THROW(with(R"("N":9223372036854775807,"r":9223372036854775807,"p":9223372036854775807)"), Error);
  EXPECT_THROW(with(R"("N":65535,"r":8,"p":1)"), Error);
  EXPECT_THROW(with(R"("N":65536,"r":0,"p":1)"), Error);
  EXPECT_THROW(with(R"("N":-65536,"r":8,"p":1)"), Error);
}

}  // namespace
}  // namespace mtc::restic
