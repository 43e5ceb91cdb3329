#include "blob/s3_error.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "blob/http_date.hpp"
#include "blob/s3_xml.hpp"

namespace mtc::blob {
namespace {

struct Known {
  std::string_view code;
  Code means;
  std::string_view advice;
};

constexpr std::array kKnown = {
    Known{"NoSuchBucket", Code::kNotFound, "create the bucket, or correct its name"},
    Known{"NoSuchKey", Code::kNotFound, ""},
    Known{"NoSuchUpload", Code::kNotFound, "the upload was aborted, by a lifecycle rule or by somebody else"},
    Known{"InvalidAccessKeyId", Code::kUnauthorized,
          "the store does not know this access key: correct aws-access-key-id in the Secret"},
    Known{"SignatureDoesNotMatch", Code::kUnauthorized,
          "the secret key is wrong: correct aws-secret-access-key in the Secret (no newline at its end)"},
    Known{"AccessDenied", Code::kForbidden,
          "the access key needs to read, write, list and delete in this bucket: correct its policy, or the bucket's"},
    Known{"AllAccessDisabled", Code::kForbidden, "the bucket is disabled"},
    Known{"AccountProblem", Code::kForbidden, "the account is blocked: ask the operator of the store"},
    Known{"RequestTimeTooSkewed", Code::kUnauthorized, "set the clock of this machine, or of the store"},
    Known{"AuthorizationHeaderMalformed", Code::kInvalid, "correct the region"},
    Known{"PermanentRedirect", Code::kInvalid, "correct the region or the endpoint"},
    Known{"IllegalLocationConstraintException", Code::kInvalid, "correct the region"},
    Known{"TemporaryRedirect", Code::kUnavailable, "the bucket is new or moving"},
    Known{"InvalidBucketName", Code::kInvalid, "correct the name of the bucket"},
    Known{"EntityTooLarge", Code::kInvalid, ""},
    Known{"PreconditionFailed", Code::kConflict, ""},
    Known{"SlowDown", Code::kThrottled, "the store is asked too much at once"},
    Known{"XMinioStorageFull", Code::kForbidden, "the disk of the store is full"},
    Known{"QuotaExceeded", Code::kForbidden, "the quota of the bucket is used up"},
    Known{"InternalError", Code::kUnavailable, ""},
    Known{"ServiceUnavailable", Code::kUnavailable, ""},
    Known{"RequestTimeout", Code::kUnavailable, ""},
    Known{"OperationAborted", Code::kUnavailable, ""},
};

/// For answers whose code is not known, or that have no body (HEAD).
Known by_status(int status) {
  switch (status) {
    case 301: return {"", Code::kInvalid, "the bucket lives in another region or at another endpoint: correct them"};
    case 401: return {"", Code::kUnauthorized, "correct the access key and the secret key"};
    case 403: return {"", Code::kForbidden, "check the access key, the secret key and the policy of the bucket"};
    case 404: return {"", Code::kNotFound, ""};
    case 408: return {"", Code::kUnavailable, ""};
    case 409:
    case 412: return {"", Code::kConflict, ""};
    case 429: return {"", Code::kThrottled, ""};
    default: break;
  }
  // 200 can carry an error too: a multipart upload that could not be completed.
  return {"", status >= 500 || status < 300 ? Code::kUnavailable : Code::kInvalid, ""};
}

Known meaning_of(std::string_view name, int status) {
  const auto* at = std::ranges::find(kKnown, name, &Known::code);
  return at != kKnown.end() ? *at : by_status(status);
}

std::string region_of(const http::Response& response) {
  const auto header = response.headers.get("x-amz-bucket-region");
  return header.empty() ? xml_text(response.body, "Region") : std::string(header);
}

/// What the answer itself says about the remedy.
std::string hints(const http::Response& response, std::string_view name, Time now) {
  std::string text;
  if (name == "RequestTimeTooSkewed") {
    text += fmt::format(" (this machine says {}", rfc3339(now));
    if (const auto theirs = parse_http_date(response.headers.get("Date"))) {
      text += fmt::format(", the store {}", rfc3339(*theirs));
    }
    return text + ")";
  }
  const bool misdirected = response.status == 301 || response.status == 307 || response.status == 400;
  if (!misdirected) return text;
  if (const auto region = region_of(response); !region.empty()) text += fmt::format(" (it asks for region {})", region);
  const auto endpoint = xml_text(response.body, "Endpoint");
  if (!endpoint.empty()) text += fmt::format(" (it asks for endpoint {})", endpoint);
  return text;
}

std::string said_by(const http::Response& response, std::string_view name) {
  if (!name.empty()) return fmt::format("{}: {}", name, trim(xml_text(response.body, "Message")));
  if (response.body.empty()) return fmt::format("HTTP {} {}", response.status, http::reason_phrase(response.status));
  return fmt::format(
      "HTTP {} from a server that does not speak S3: is this the endpoint of the store, or of its console?",
      response.status);
}

}  // namespace

Error s3_error(const http::Response& response, Time now) {
  const auto name = xml_text(response.body, "Code");
  const auto known = meaning_of(name, response.status);
  auto text = said_by(response, name);
  if (!known.advice.empty() && (!name.empty() || response.body.empty())) text += fmt::format(" — {}", known.advice);
  text += hints(response, name, now);
  auto request = std::string(response.headers.get("x-amz-request-id"));
  if (request.empty()) request = xml_text(response.body, "RequestId");
  if (!request.empty()) text += fmt::format(" (request id {})", request);
  Error error(known.means, std::move(text));
  error.with_http_status(response.status);
  if (const auto wait = http::retry_after(response.headers)) error.with_retry_after(*wait);
  return error;
}

Error unanswered(const Error& error) {
  return http::advised(error,
                       {.untrusted = "give the CA of the store as its custom CA bundle, or correct the endpoint",
                        .unknown = "correct the host name of the endpoint",
                        .silent = "is the endpoint right, and does the network (firewall, proxy) let it through?",
                        .closed = "does the store run, and is the endpoint right?"});
}

}  // namespace mtc::blob
