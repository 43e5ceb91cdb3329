#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "oci/manifest.hpp"

// Any text as a manifest of any type: refused with a reason, or a manifest of one kind.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto* const type : {"", "application/json", "application/vnd.oci.image.index.v1+json",
                                 "application/vnd.docker.distribution.manifest.v2+json"}) {
    try {
      const auto manifest = oci::Manifest::parse(text, type);
      const bool is_index = manifest.kind == oci::Manifest::Kind::kIndex;
      if (is_index == manifest.config.has_value() || (is_index && !manifest.layers.empty())) std::abort();
    } catch (const Error& error) {
      if (error.code() != Code::kCorrupt && error.code() != Code::kUnsupported) std::abort();
    }
  }
  return 0;
}
