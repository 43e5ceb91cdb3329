#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "blob/store.hpp"
#include "http/message.hpp"

namespace mtc::blob {

/// The text of the first element of that name in an XML document; "" if there is none. Entities of a DTD are not
/// expanded.
std::string xml_text(std::string_view xml, std::string_view element);
/// The <Code> of an S3 error body: "NoSuchKey"; "" if the body is no S3 error.
std::string s3_code(std::string_view body);
/// The Error for a refused S3 request, with what to do about it.
Error s3_error(const http::Response& response, std::string_view doing);
/// A ListObjectsV2 answer with encoding-type=url. Throws Error(kUnsupported) if the server is no S3.
ListPage parse_listing(std::string_view xml, std::string_view store);

}  // namespace mtc::blob
