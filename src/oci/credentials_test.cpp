#include "oci/credentials.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace mtc::oci {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> users(const Keyring& ring, const std::string& image) {
  std::vector<std::string> out;
  for (const auto& one : ring.lookup(Reference::parse(image))) out.push_back(one.username);
  return out;
}

/// A config with an entry for each location, whose user is its number.
Keyring ring_of(const std::vector<std::string>& locations) {
  std::string text;
  for (std::size_t i = 0; i < locations.size(); ++i) {
    text += (text.empty() ? "" : ",") +
            ("\"" + locations[i] + "\":{\"username\":\"" + std::to_string(i) + "\",\"password\":\"p\"}");
  }
  return Keyring::of_config_json("{\"auths\":{" + text + "}}");
}

TEST(Keyring, ReadsBothFormsOfPullSecrets) {
  const auto auth = base64_encode("web:hun:ter2");
  const std::string entry = R"({"quay.io":{"auth":")" + auth + R"(","email":"x"}})";
  for (const auto& ring : {Keyring::of_config_json(R"({"auths":)" + entry + "}"), Keyring::of_dockercfg(entry)}) {
    const auto found = ring.lookup(Reference::parse("quay.io/shop/web"));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].username, "web");
    EXPECT_EQ(found[0].password, Secret("hun:ter2"));
  }
}

TEST(Keyring, TakesAnAuthWithoutPadding) {
  auto auth = base64_encode("a:b1");
  ASSERT_TRUE(auth.ends_with('='));
  while (auth.ends_with('=')) auth.pop_back();
  const auto ring = Keyring::of_dockercfg(R"({"q.io":{"auth":")" + auth + R"("}})");
  EXPECT_EQ(ring.lookup(Reference::parse("q.io/a"))[0].password, Secret("b1"));
}

TEST(Keyring, KeepsTokens) {
  const auto ring = Keyring::of_config_json(
      R"({"auths":{"a.io":{"username":"u","identitytoken":"i"},"b.io":{"registrytoken":"r"},"c.io":{}}})");
  EXPECT_EQ(ring.lookup(Reference::parse("a.io/x"))[0].identity_token, Secret("i"));
  EXPECT_EQ(ring.lookup(Reference::parse("b.io/x"))[0].registry_token, Secret("r"));
  EXPECT_THAT(ring.lookup(Reference::parse("c.io/x")), IsEmpty());
}

TEST(Keyring, MatchesHostsAsKubernetesDoes) {
  const auto ring = ring_of({"quay.io", "quay.io:8443", "*.example.com", "https://plain.io/v2/", "http://old.io/v1/"});
  EXPECT_THAT(users(ring, "quay.io/a/b"), ElementsAre("0"));
  EXPECT_THAT(users(ring, "quay.io:8443/a/b"), ElementsAre("1"));
  EXPECT_THAT(users(ring, "quay.io:9/a/b"), IsEmpty());
  EXPECT_THAT(users(ring, "eu.example.com/a"), ElementsAre("2"));
  EXPECT_THAT(users(ring, "a.eu.example.com/a"), IsEmpty());
  EXPECT_THAT(users(ring, "example.com/a"), IsEmpty());
  EXPECT_THAT(users(ring, "plain.io/a"), ElementsAre("3"));
  EXPECT_THAT(users(ring, "old.io/a"), ElementsAre("4"));
}

TEST(Keyring, PrefersLongerPaths) {
  const auto ring = ring_of({"q.io", "q.io/shop", "q.io/shop/web"});
  EXPECT_THAT(users(ring, "q.io/shop/web:v1"), ElementsAre("2", "1", "0"));
  EXPECT_THAT(users(ring, "q.io/shop/db"), ElementsAre("1", "0"));
  EXPECT_THAT(users(ring, "q.io/other"), ElementsAre("0"));
}

TEST(Keyring, KnowsDockerHubByItsOldAddress) {
  const auto ring = ring_of({"https://index.docker.io/v1/"});
  EXPECT_THAT(users(ring, "busybox"), ElementsAre("0"));
  EXPECT_THAT(users(ring, "quay.io/busybox"), IsEmpty());
  EXPECT_THAT(users(ring_of({"https://index.docker.io/v1/", "docker.io"}), "busybox"), ElementsAre("1"));
}

TEST(Keyring, TriesSecretsInTheirOrder) {
  auto ring = ring_of({"q.io"});
  ring.add(Keyring::of_dockercfg(
      R"({"q.io/shop":{"username":"second","password":"p"},"q.io":{"username":"0","password":"p"}})"));
  EXPECT_THAT(users(ring, "q.io/shop/web"), ElementsAre("0", "second"));
}

TEST(Keyring, RefusesWithoutQuoting) {
  const auto hidden = base64_encode("hunter2");
  for (const auto& text :
       {"hunter2" + std::string(1, '\0'), std::string("[]"), R"({"auths":[]})" + std::string(),
        R"({"auths":{"q.io":"hunter2"}})" + std::string(), R"({"auths":{"q.io":{"auth":")" + hidden + R"("}}})"}) {
    try {
      Keyring::of_config_json(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kCorrupt);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("credentials"), Not(HasSubstr("hunter2")), Not(HasSubstr(hidden))));
    }
  }
}

TEST(Keyring, WithoutAuthsIsEmpty) {
  EXPECT_THAT(Keyring::of_config_json(R"({"credsStore":"desktop"})").lookup(Reference::parse("q.io/a")), IsEmpty());
}

}  // namespace
}  // namespace mtc::oci
