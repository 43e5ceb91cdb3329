#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "oci/reference.hpp"

// Any text: refused with Error(kInvalid), or an image whose full name is read back as the same.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  try {
    const auto reference = oci::Reference::parse({reinterpret_cast<const char*>(data), size});
    if (oci::Reference::parse(reference.str()) != reference) std::abort();
    if (!oci::is_repository(reference.repository)) std::abort();
  } catch (const Error& error) {
    if (error.code() != Code::kInvalid) std::abort();
  }
  return 0;
}
