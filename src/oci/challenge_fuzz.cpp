#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "oci/challenge.hpp"

// Any bytes a server may send: a list of bounded size, never more text than there was.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::size_t told = 0;
  const auto all = mtc::oci::parse_challenges({reinterpret_cast<const char*>(data), size});
  if (all.size() > 64) std::abort();
  for (const auto& one : all) {
    if (one.scheme.empty() || one.parameters.size() > 64) std::abort();
    told += one.scheme.size();
    for (const auto& [name, value] : one.parameters) told += name.size() + value.size();
  }
  if (told > size) std::abort();
  return 0;
}
