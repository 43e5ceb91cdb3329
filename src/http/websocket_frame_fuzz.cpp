#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "http/websocket_frame.hpp"

// Any bytes, read as the head of a frame: refused, or the very bytes that writing it gives.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto parsed = mtc::http::parse_frame_head(bytes);
    if (parsed && mtc::http::serialize_frame_head(parsed->head) != bytes.substr(0, parsed->size)) std::abort();
  } catch (const mtc::Error&) {
    // Refused.
  }
  return 0;
}
