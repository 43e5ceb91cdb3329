#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "json/json.hpp"
#include "json/jsonpath.hpp"

// A line that is a path, then a document: refused with Error(kInvalid), or matches inside the document, none twice.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return -1;
  Json document;
  try {
    document = parse_json(text.substr(end + 1));
  } catch (const Error&) {
    return -1;
  }
  try {
    const auto found = JsonPath(text.substr(0, end)).find(document);
    // Every value takes at least a character of the text.
    if (found.size() > size) std::abort();
    for (const auto* value : found) dump(*value);
  } catch (const Error& error) {
    if (error.code() != Code::kInvalid) std::abort();
  }
  return 0;
}
