#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/clock.hpp"

// Any text, read as a time and as a duration: refused, or a value whose text is read as the same value.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto time = parse_rfc3339(text)) {
    const auto again = parse_rfc3339(rfc3339_micro(*time));
    if (again != std::chrono::floor<std::chrono::microseconds>(*time)) std::abort();
    if (parse_rfc3339(rfc3339(*time)) != std::chrono::floor<std::chrono::seconds>(*time)) std::abort();
    if (iso8601_basic(*time).size() != 16) std::abort();
  }
  if (const auto duration = parse_go_duration(text)) {
    const auto again = parse_go_duration(go_seconds(*duration));
    if (again != std::chrono::round<std::chrono::seconds>(*duration)) std::abort();
  }
  return 0;
}
