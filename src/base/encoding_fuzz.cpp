#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/encoding.hpp"

// Any bytes come back from every encoding; what is read as one, written and read again, is the same.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (base64_decode(base64_encode(bytes)) != bytes) std::abort();
  if (base64url_decode(base64url_encode(bytes)) != bytes) std::abort();
  if (unhex(hex(bytes)) != bytes) std::abort();
  if (percent_decode(percent_encode(bytes)) != bytes) std::abort();
  if (percent_decode(percent_encode(bytes, KeepSlash::kYes)) != bytes) std::abort();

  if (const auto read = base64_decode(bytes); read && base64_decode(base64_encode(*read)) != read) std::abort();
  if (const auto read = base64url_decode(bytes); read && base64url_decode(base64url_encode(*read)) != read)
    std::abort();
  if (const auto read = unhex(bytes); read && hex(*read).size() != size) std::abort();
  if (const auto read = percent_decode(bytes); read && read->size() > size) std::abort();
  return 0;
}
