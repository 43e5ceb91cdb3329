#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "restic/compress.hpp"

// Any bytes, decompressed: refused, or no more than the limit.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    constexpr std::size_t kLimit = 1 << 20U;
    if (mtc::restic::decompress(bytes, kLimit).size() > kLimit) std::abort();
  } catch (const mtc::Error&) {
    // Refused.
  }
  return 0;
}
