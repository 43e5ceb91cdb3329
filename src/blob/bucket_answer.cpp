#include "blob/bucket_answer.hpp"

#include <utility>

#include <fmt/format.h>

#include "blob/s3_xml.hpp"

namespace mtc::blob {

Refusal::Refusal(int status, std::string_view s3_code, std::string message, std::string more)
    : Error(Code::kInvalid, std::move(message)), s3_code_(s3_code), more_(std::move(more)) {
  with_http_status(status);
}

http::Response Refusal::answer() const {
  return xml_answer(http_status(), fmt::format("<Error>{}{}{}</Error>", element("Code", s3_code_),
                                               element("Message", message()), more_));
}

Refusal refusal_for(const Error& error) {
  switch (error.code()) {
    case Code::kInvalid: return {400, "InvalidArgument", error.what()};
    case Code::kNotFound: return {404, "NoSuchBucket", error.what()};
    case Code::kConflict: return {409, "OperationAborted", error.what()};
    case Code::kUnauthorized:
    case Code::kForbidden: return {403, "AccessDenied", error.what()};
    case Code::kThrottled: return {503, "SlowDown", error.what()};
    case Code::kUnavailable:
    case Code::kTimeout: return {503, "ServiceUnavailable", error.what()};
    default: return {500, "InternalError", error.what()};
  }
}

http::Response xml_answer(int status, std::string_view body) {
  return {status,
          "",
          {{"Content-Type", "application/xml"}},
          fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", body)};
}

http::Response etag_answer(std::string_view etag) { return {200, "", {{"ETag", fmt::format("\"{}\"", etag)}}, ""}; }

std::string element(std::string_view name, std::string_view text) {
  return fmt::format("<{}>{}</{}>", name, xml_escape(text), name);
}

}  // namespace mtc::blob
