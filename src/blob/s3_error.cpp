#include "blob/s3_error.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "base/encoding.hpp"

namespace mtc::blob {
namespace {

struct Known {
  std::string_view code;
  Code means;
  std::string_view advice;
};

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
constexpr Known kKnown[] = {
    {"NoSuchBucket", Code::kNotFound, "create the bucket, or correct its name"},
    {"InvalidAccessKeyId", Code::kUnauthorized,
     "the access key is unknown to the store: correct aws-access-key-id in the Secret"},
    {"SignatureDoesNotMatch", Code::kUnauthorized,
     "the secret key is wrong: correct aws-secret-access-key in the Secret (no newline at its end)"},
    {"AccessDenied", Code::kForbidden,
     "the key may not do this: it needs to read, write, list and delete in the bucket"},
    {"AccountProblem", Code::kForbidden, "the account is blocked"},
    {"RequestTimeTooSkewed", Code::kUnauthorized,
     "the clocks of this machine and the store differ by more than 15 minutes"},
    {"AuthorizationHeaderMalformed", Code::kInvalid, "the region is wrong"},
    {"PermanentRedirect", Code::kInvalid, "the bucket lives in another region or at another endpoint"},
    {"InvalidBucketName", Code::kInvalid, "the bucket's name is not allowed"},
    {"InvalidRange", Code::kInvalid, ""},
    {"SlowDown", Code::kThrottled, ""},
    {"ServiceUnavailable", Code::kUnavailable, ""},
    {"InternalError", Code::kUnavailable, ""},
    {"RequestTimeout", Code::kUnavailable, ""},
    {"XMinioStorageFull", Code::kForbidden, "the store's disk is full"},
};

Code code_of(int status) {
  switch (status) {
    case 401: return Code::kUnauthorized;
    case 403: return Code::kForbidden;
    case 404: return Code::kNotFound;
    case 409: return Code::kConflict;
    case 416: return Code::kInvalid;
    case 429: return Code::kThrottled;
    default: return status >= 500 ? Code::kUnavailable : Code::kInvalid;
  }
}

/// encoding-type=url is form encoding: a plus stands for a blank.
std::string decoded(std::string text) {
  std::ranges::replace(text, '+', ' ');
  return percent_decode(text).value_or(text);
}

}  // namespace

std::string xml_text(std::string_view xml, std::string_view element) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return "";
  const auto found = document.find_node([&](const pugi::xml_node& node) { return node.name() == element; });
  std::string text = found.child_value();
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

std::string s3_code(std::string_view body) { return xml_text(body, "Code"); }

Error s3_error(const http::Response& response, std::string_view doing) {
  const auto name = s3_code(response.body);
  auto text = xml_text(response.body, "Message");
  Code code = code_of(response.status);
  std::string_view advice;
  for (const auto& known : kKnown) {
    if (known.code != name) continue;
    code = known.means;
    advice = known.advice;
  }
  // HEAD answers carry no body: the status must do.
  if (name.empty() && response.body.empty()) text = fmt::format("HTTP {}", response.status);
  if (name.empty() && !response.body.empty())
    text = fmt::format("HTTP {} from a server that does not speak S3", response.status);
  const auto region = xml_text(response.body, "Region");
  Error error(code,
              fmt::format("{}{}{}{}{}{}", name, name.empty() ? "" : ": ", text, advice.empty() ? "" : " — ", advice,
                          region.empty() || code != Code::kInvalid ? "" : fmt::format(" (it asks for {})", region)));
  error.with_http_status(response.status).with_context(doing);
  return error;
}

ListPage parse_listing(std::string_view xml, std::string_view store) {
  pugi::xml_document document;
  const auto parsed = document.load_buffer(xml.data(), xml.size());
  const auto root = document.child("ListBucketResult");
  if (!parsed || !root) throw Error(Code::kUnsupported, fmt::format("{} does not answer a listing as S3 does", store));
  const bool encoded = std::string_view(root.child_value("EncodingType")) == "url";
  ListPage page;
  for (const auto& node : root.children("Contents")) {
    ObjectInfo info;
    info.key = encoded ? decoded(node.child_value("Key")) : node.child_value("Key");
    info.size = node.child("Size").text().as_ullong();
    info.etag = node.child_value("ETag");
    std::erase(info.etag, '"');
    if (const auto modified = parse_rfc3339(node.child_value("LastModified"))) info.modified = *modified;
    page.objects.push_back(std::move(info));
  }
  for (const auto& node : root.children("CommonPrefixes")) {
    page.prefixes.push_back(encoded ? decoded(node.child_value("Prefix")) : node.child_value("Prefix"));
  }
  if (std::string_view(root.child_value("IsTruncated")) == "true")
    page.next = root.child_value("NextContinuationToken");
  return page;
}

}  // namespace mtc::blob
