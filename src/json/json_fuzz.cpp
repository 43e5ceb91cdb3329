#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "json/json.hpp"

// Any text, read as JSON: refused with an Error, or a value that every writer keeps.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  try {
    const auto value = parse_json({reinterpret_cast<const char*>(data), size});
    if (parse_json(dump(value)) != value) std::abort();
    if (parse_json(dump_pretty(value)) != value) std::abort();
    if (parse_json(dump_go(value)) != value) std::abort();
  } catch (const Error& error) {
    if (error.code() != Code::kCorrupt) std::abort();
  }
  return 0;
}
