#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "blob/bucket_answer.hpp"
#include "blob/s3_error.hpp"
#include "blob/s3_xml.hpp"

// Any bytes, read as a listing and as an error of S3: refused with Error(kUnsupported), or a page that says how to go
// on. Text that XML can hold comes back from an element.

namespace {

bool fits_xml(std::string_view text) {
  // The XML reader leaves out leading blanks, and takes a NUL for the end.
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\r' && c != '\n' && c != '\t') return false;
  }
  return text.find_first_not_of(" \t\r\n") != std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto page = blob::parse_listing(bytes, "a store");
    if (page.objects.size() + page.prefixes.size() + page.next.size() > size) std::abort();
  } catch (const Error& error) {
    if (error.code() != Code::kUnsupported) std::abort();
  }
  for (const int status : {200, 301, 400, 403, 404, 503}) {
    const auto error =
        blob::s3_error({status, "", {{"Retry-After", std::string(bytes.substr(0, 8))}}, std::string(bytes)}, Time{});
    if (error.http_status() != status || error.message().empty()) std::abort();
  }
  if (fits_xml(bytes) && blob::xml_text(blob::element("Key", bytes), "Key") != bytes) std::abort();
  return 0;
}
