#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "oci/credentials.hpp"

// Any text of a Secret, in both forms: refused with Error(kCorrupt), or credentials that can be looked up.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto image = oci::Reference::parse("quay.io/shop/web");
  for (auto* const read : {&oci::Keyring::of_config_json, &oci::Keyring::of_dockercfg}) {
    try {
      auto ring = read(text);
      ring.add(read(text));
      if (ring.lookup(image).size() > size) std::abort();
    } catch (const Error& error) {
      if (error.code() != Code::kCorrupt) std::abort();
    }
  }
  return 0;
}
