#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "restic/index_file.hpp"

// Any text, read as an index: refused, or as good as what writing it gives.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto text = mtc::restic::encode_index(mtc::restic::decode_index(bytes));
    if (mtc::restic::encode_index(mtc::restic::decode_index(text)) != text) std::abort();
  } catch (const mtc::Error&) {
    // Refused.
  }
  return 0;
}
