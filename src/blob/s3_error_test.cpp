#include "blob/s3_error.hpp"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blob/s3_xml.hpp"

namespace mtc::blob {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const Time kNow = *parse_rfc3339("2026-01-02T03:04:05Z");

Error refused(int status, std::string_view code, std::string_view more = "", http::Headers headers = {}) {
  return s3_error({status, "", std::move(headers),
                   fmt::format("<?xml version=\"1.0\"?><Error><Code>{}</Code><Message>said so</Message>{}"
                               "<RequestId>R1</RequestId></Error>",
                               code, more)},
                  kNow);
}

TEST(S3Error, KnowsWhatTheCodesOfS3Mean) {
  EXPECT_EQ(refused(404, "NoSuchBucket").code(), Code::kNotFound);
  EXPECT_EQ(refused(403, "AccessDenied").code(), Code::kForbidden);
  EXPECT_EQ(refused(403, "SignatureDoesNotMatch").code(), Code::kUnauthorized);
  EXPECT_EQ(refused(403, "InvalidAccessKeyId").code(), Code::kUnauthorized);
  EXPECT_EQ(refused(503, "SlowDown").code(), Code::kThrottled);
  EXPECT_EQ(refused(500, "InternalError").code(), Code::kUnavailable);
  EXPECT_EQ(refused(200, "InternalError").code(), Code::kUnavailable);
  EXPECT_EQ(refused(418, "Teapot").code(), Code::kInvalid);
  EXPECT_EQ(refused(599, "Teapot").code(), Code::kUnavailable);
  EXPECT_EQ(refused(404, "NoSuchBucket").http_status(), 404);
}

TEST(S3Error, SaysWhatTheStoreSaidWhatToDoAndWhichRequestItWas) {
  EXPECT_STREQ(refused(404, "NoSuchBucket").what(),
               "NoSuchBucket: said so — create the bucket, or correct its name (request id R1)");
  EXPECT_STREQ(refused(418, "Teapot").what(), "Teapot: said so (request id R1)");
  EXPECT_THAT(refused(403, "AccessDenied", "", {{"x-amz-request-id", "R2"}}).what(), HasSubstr("(request id R2)"));
}

TEST(S3Error, NamesTheRegionThatIsRight) {
  EXPECT_THAT(refused(400, "AuthorizationHeaderMalformed", "<Region>eu-north-1</Region>").what(),
              HasSubstr("correct the region (it asks for region eu-north-1)"));
  EXPECT_THAT(refused(301, "PermanentRedirect", "<Endpoint>b.s3.eu-north-1.amazonaws.com</Endpoint>",
                      {{"x-amz-bucket-region", "eu-north-1"}})
                  .what(),
              HasSubstr("(it asks for region eu-north-1) (it asks for endpoint b.s3.eu-north-1.amazonaws.com)"));
  EXPECT_THAT(s3_error({301, "", {{"x-amz-bucket-region", "eu-north-1"}}, ""}, kNow).what(),
              HasSubstr("(it asks for region eu-north-1)"));
  EXPECT_THAT(refused(403, "AccessDenied", "", {{"x-amz-bucket-region", "eu-north-1"}}).what(),
              Not(HasSubstr("eu-north-1")));
}

TEST(S3Error, ShowsBothClocksWhenTheyDiffer) {
  EXPECT_THAT(refused(403, "RequestTimeTooSkewed", "", {{"Date", "Fri, 02 Jan 2026 05:04:05 GMT"}}).what(),
              HasSubstr("(this machine says 2026-01-02T03:04:05Z, the store 2026-01-02T05:04:05Z)"));
  EXPECT_THAT(refused(403, "RequestTimeTooSkewed").what(), HasSubstr("(this machine says 2026-01-02T03:04:05Z)"));
}

TEST(S3Error, AnAnswerThatIsNoXmlIsNoS3) {
  const auto error = s3_error({404, "", {}, "<html><body>nginx"}, kNow);
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("HTTP 404 from a server that does not speak S3"));
  EXPECT_THAT(s3_error({403, "", {}, ""}, kNow).what(), HasSubstr("HTTP 403 Forbidden — check the access key"));
}

TEST(S3Error, PassesOnHowLongToWait) {
  EXPECT_EQ(refused(503, "SlowDown", "", {{"Retry-After", "7"}}).retry_after(), std::chrono::seconds(7));
  EXPECT_EQ(refused(503, "SlowDown", "", {{"Retry-After", "86400"}}).retry_after(), std::chrono::seconds(60));
  EXPECT_EQ(refused(503, "SlowDown").retry_after(), std::nullopt);
}

TEST(S3Error, SaysWhatToCheckWhenNobodyAnswers) {
  EXPECT_THAT(unanswered(Error(Code::kTls, "certificate signed by unknown authority")).what(),
              HasSubstr("unknown authority — give the CA of the store"));
  EXPECT_THAT(unanswered(Error(Code::kTimeout, "silence")).what(), HasSubstr("firewall"));
  EXPECT_STREQ(unanswered(Error(Code::kCorrupt, "no HTTP")).what(), "no HTTP");
}

TEST(S3Listing, IsReadWithItsEscapes) {
  const auto page = parse_listing(
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>"
      "<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>"
      "<Contents><Key>blank+plus%2B</Key><Size>12</Size><ETag>&quot;e&quot;</ETag>"
      "<LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>"
      "<CommonPrefixes><Prefix>x/%C3%BC/</Prefix></CommonPrefixes></ListBucketResult>",
      "bucket b");
  ASSERT_EQ(page.objects.size(), 1U);
  EXPECT_EQ(page.objects[0].key, "blank plus+");
  EXPECT_EQ(page.objects[0].size, 12U);
  EXPECT_EQ(page.objects[0].etag, "e");
  EXPECT_EQ(page.objects[0].modified, kNow);
  EXPECT_THAT(page.prefixes, ElementsAre("x/ü/"));
  EXPECT_EQ(page.next, "a&b");
}

TEST(S3Listing, OneThatEndsEarlyIsRefused) {
  const auto failure = [](std::string_view xml) -> std::string {
    try {
      parse_listing(xml, "bucket b at http://h");
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(failure("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
              HasSubstr("it lacks ListObjectsV2"));
  EXPECT_THAT(failure("<html>"), HasSubstr("bucket b at http://h does not answer a listing as S3 does"));
  EXPECT_EQ(failure("<ListBucketResult/>"), "");
}

TEST(S3Xml, EntitiesOfADocumentAreNotExpanded) {
  EXPECT_EQ(xml_text("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a><Code>&x;</Code></a>", "Code"), "&x;");
  EXPECT_EQ(xml_text("no XML at all", "Code"), "");
}

}  // namespace
}  // namespace mtc::blob
