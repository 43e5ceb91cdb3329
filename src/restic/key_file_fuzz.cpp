#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "restic/config.hpp"
#include "restic/key_file.hpp"

// Any text, read as a key file and as a config: refused, or within the bounds of what a key may cost.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    mtc::restic::decode_config(bytes);
  } catch (const mtc::Error&) {
    // Refused.
  }
  try {
    const auto file = mtc::restic::decode_key_file(bytes);
    if (file.scrypt.n * file.scrypt.r > 2U << 20U || file.scrypt.p > 1024) std::abort();
  } catch (const mtc::Error&) {
    // Refused.
  }
  return 0;
}
