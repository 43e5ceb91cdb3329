#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "restic/references.hpp"

// Any text, read as a tree: refused, or its references.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto found = mtc::restic::decode_references(bytes);
    if ((found.trees.size() + found.data.size()) * 66 > size) std::abort();  // Each is 64 digits in quotes.
  } catch (const mtc::Error&) {
    // Refused.
  }
  return 0;
}
