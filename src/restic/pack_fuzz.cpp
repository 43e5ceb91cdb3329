#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "restic/pack.hpp"

// Any bytes, read as a pack's header: refused, or the very bytes that writing it gives.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    if (mtc::restic::encode_pack_header(mtc::restic::decode_pack_header(bytes)) != bytes) std::abort();
  } catch (const mtc::Error&) {
    // Refused.
  }
  return 0;
}
