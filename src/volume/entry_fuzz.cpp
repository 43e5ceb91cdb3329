#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "volume/entry.hpp"

// Any bytes, read as an entry: refused, or the very bytes that writing it gives.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    mtc::volume::Reader reader(bytes);
    const auto entry = mtc::volume::decode_entry(reader);
    mtc::volume::Writer again;
    mtc::volume::encode(again, entry);
    if (again.bytes() != bytes.substr(0, size - reader.left())) std::abort();
  } catch (const mtc::Error&) {
    // Refused.
  }
  return 0;
}
