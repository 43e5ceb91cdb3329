#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "kube/port_forward.hpp"

// Any messages of a node: each gives a part of itself, or an Error; the first byte of the input cuts it into messages.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  kube::PortForwardReader reader(6443);
  try {
    while (!rest.empty()) {
      const auto message = rest.substr(0, std::size_t{data[0]} + 1);
      rest.remove_prefix(message.size());
      const auto taken = reader.take(message);
      if (!taken.empty() && taken != message.substr(1)) std::abort();
    }
  } catch (const Error& error) {
    if (error.code() != Code::kCorrupt && error.code() != Code::kUnavailable) std::abort();
  }
  return 0;
}
