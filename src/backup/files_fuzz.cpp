#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "backup/files.hpp"
#include "base/error.hpp"

// Any bytes come back from gzip; any bytes unpack to at most the limit, or are refused with Error(kCorrupt).

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  constexpr std::size_t kLimit = 1000;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (backup::gunzip(backup::gzip(bytes), size) != bytes) std::abort();
  try {
    if (backup::gunzip(bytes, kLimit).size() > kLimit) std::abort();
  } catch (const Error& error) {
    if (error.code() != Code::kCorrupt) std::abort();
  }
  return 0;
}
