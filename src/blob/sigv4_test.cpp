#include "blob/sigv4.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/hash.hpp"

namespace mtc::blob {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

// The examples of the S3 documentation: sig-v4-header-based-auth, sigv4-query-string-auth, sigv4-streaming.
const SigningKey kS3Key{"AKIAIOSFODNN7EXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), "us-east-1"};
const Time kS3Time = *parse_rfc3339("2013-05-24T00:00:00Z");

std::string s3_example(std::string_view method, std::string_view path, const http::Query& query, http::Headers headers,
                       std::string_view body) {
  headers.set("Host", "examplebucket.s3.amazonaws.com");
  sign(headers, method, path, query, hex(sha256(body)), kS3Key, kS3Time);
  return std::string(headers.get("Authorization"));
}

TEST(SigV4, SignsAsTheDocumentationOfS3) {
  EXPECT_EQ(s3_example("GET", "/test.txt", {}, {{"Range", "bytes=0-9"}}, ""),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_THAT(s3_example("PUT", "/test%24file.text", {},
                         {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                         "Welcome to Amazon S3."),
              EndsWith("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
  EXPECT_THAT(s3_example("GET", "/", {{"lifecycle", ""}}, {}, ""),
              EndsWith("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  EXPECT_THAT(s3_example("GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}, ""),
              EndsWith("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(SigV4, PresignsAsTheDocumentationOfS3) {
  const auto query =
      presign("GET", "examplebucket.s3.amazonaws.com", "/test.txt", {}, kS3Key, kS3Time, std::chrono::hours(24));
  EXPECT_THAT(query, HasSubstr("X-Amz-Expires=86400"));
  EXPECT_THAT(query, EndsWith("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"));
}

TEST(SigV4, ChainsTheSignaturesOfChunks) {
  const std::string date = "20130524T000000Z";
  const auto first = chunk_signature("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
                                     std::string(65536, 'a'), kS3Key, date);
  EXPECT_EQ(first, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  const auto second = chunk_signature(first, std::string(1024, 'a'), kS3Key, date);
  EXPECT_EQ(second, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  EXPECT_EQ(chunk_signature(second, "", kS3Key, date),
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

// Cases of the aws-sig-v4-test-suite that S3 does not define otherwise (it neither normalises nor re-encodes paths).
std::string suite_case(std::string_view method, const http::Query& query, http::Headers headers,
                       std::string_view signed_headers, std::string_view path = "/") {
  const SigningKey key{"AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "us-east-1", "service"};
  headers.add("Host", "example.amazonaws.com");
  headers.add("X-Amz-Date", "20150830T123600Z");
  return signature_of(headers, method, path, query, hex(sha256("")), signed_headers, key, "20150830T123600Z");
}

TEST(SigV4, PassesTheTestSuite) {
  EXPECT_EQ(suite_case("GET", {}, {}, "host;x-amz-date"),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(suite_case("POST", {}, {}, "host;x-amz-date"),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  EXPECT_EQ(suite_case("GET", {{"Param2", "value2"}, {"Param1", "value1"}}, {}, "host;x-amz-date"),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  EXPECT_EQ(suite_case("GET", {}, {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
                       "host;my-header1;x-amz-date"),
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
  EXPECT_EQ(suite_case("GET", {}, {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
                       "host;my-header1;my-header2;x-amz-date"),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

TEST(SigV4, SortsTheQueryByNameNotByTheWholeText) {
  // '-' is below '=', so the texts "a-=1" and "a=1" sort the other way round than the names do.
  http::Headers one = {{"Host", "h"}};
  http::Headers other = {{"Host", "h"}};
  sign(one, "GET", "/", {{"a", "1"}, {"a-", "1"}}, kUnsignedPayload, kS3Key, kS3Time);
  sign(other, "GET", "/", {{"a-", "1"}, {"a", "1"}}, kUnsignedPayload, kS3Key, kS3Time);
  EXPECT_EQ(one.get("Authorization"), other.get("Authorization"));
  const auto canonical = fmt::format(
      "GET\n/\na=1&a-=1\nhost:h\nx-amz-content-sha256:{}\nx-amz-date:20130524T000000Z\n\n"
      "host;x-amz-content-sha256;x-amz-date\n{}",
      kUnsignedPayload, kUnsignedPayload);
  auto secret = hmac_sha256("AWS4" + kS3Key.secret_access_key.reveal(), "20130524");
  for (const auto* part : {"us-east-1", "s3", "aws4_request"}) secret = hmac_sha256(secret, part);
  const auto to_sign =
      "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n" + hex(sha256(canonical));
  EXPECT_THAT(std::string(one.get("Authorization")), EndsWith(hex(hmac_sha256(secret, to_sign))));
}

}  // namespace
}  // namespace mtc::blob
