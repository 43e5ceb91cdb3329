#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "blob/http_date.hpp"

// Any text, read as an HTTP date: refused, or the very text that writing it gives.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto time = mtc::blob::parse_http_date(text);
  if (time && mtc::blob::http_date(*time) != text) std::abort();
  return 0;
}
