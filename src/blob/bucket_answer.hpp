#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http/message.hpp"

namespace mtc::blob {

/// Ends a request to a BucketServer with an S3 error
/// (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
class Refusal : public Error {
 public:
  /// `more`: further elements of the error document, as XML.
  Refusal(int status, std::string_view s3_code, std::string message, std::string more = "");
  http::Response answer() const;

 private:
  std::string s3_code_;
  std::string more_;
};

/// What a client of S3 is told when the store behind the bucket fails.
Refusal refusal_for(const Error& error);

/// An XML document.
http::Response xml_answer(int status, std::string_view body);
/// An empty 200 with an ETag.
http::Response etag_answer(std::string_view etag);
/// "<Name>text</Name>", escaped.
std::string element(std::string_view name, std::string_view text);

}  // namespace mtc::blob
