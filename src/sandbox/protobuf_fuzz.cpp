#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "sandbox/protobuf.hpp"

// Any bytes in Kubernetes' envelope: refused with Error(kInvalid), or an object that can be written and read again.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  const auto body = std::string("k8s\0", 4) + std::string(reinterpret_cast<const char*>(data), size);
  if (!sandbox::is_protobuf(body)) std::abort();
  try {
    const auto object = sandbox::from_protobuf(body);
    if (object && parse_json(dump(*object)) != *object) std::abort();
  } catch (const Error& error) {
    if (error.code() != Code::kInvalid) std::abort();
  }
  return 0;
}
