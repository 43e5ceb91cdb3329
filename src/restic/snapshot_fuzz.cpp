#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "restic/lock_file.hpp"
#include "restic/snapshot.hpp"

// Any text, read as a snapshot and as a lock: refused, or as good as what writing it gives.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto lock = mtc::restic::encode_lock(mtc::restic::decode_lock(bytes));
    if (mtc::restic::encode_lock(mtc::restic::decode_lock(lock)) != lock) std::abort();
  } catch (const mtc::Error&) {
    // Refused.
  }
  try {
    const auto text = mtc::restic::encode_snapshot(mtc::restic::decode_snapshot(bytes));
    if (mtc::restic::encode_snapshot(mtc::restic::decode_snapshot(text)) != text) std::abort();
  } catch (const mtc::Error&) {
    // Refused.
  }
  return 0;
}
