#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "http/wire.hpp"

// Any bytes, read as a request and as a response: never a crash or a hang, never a failure other than an Error, and the
// same message however the bytes are sliced.

namespace mtc::http {
namespace {

/// Gives the bytes in pieces of `slice`, then the end.
class Bytes final : public net::Stream {
 public:
  Bytes(std::string_view bytes, std::size_t slice) : bytes_(bytes), slice_(slice) {}
  Task<std::size_t> read_some(std::span<char> into) override {
    const auto size = std::min({into.size(), bytes_.size(), slice_});
    if (size > 0) std::memcpy(into.data(), bytes_.data(), size);
    bytes_.remove_prefix(size);
    co_return size;
  }
  Task<void> write_all(std::string_view) override { co_return; }
  Task<void> close() override { co_return; }
  std::string peer() const override { return "fuzz"; }

 private:
  std::string_view bytes_;
  std::size_t slice_;
};

enum class As { kRequest, kResponse };

BodyFraming framing_of(std::string_view head, As as) {
  if (as == As::kRequest) return request_framing(parse_request_head(head, {}));
  return response_framing(parse_response_head(head, {}), "GET");
}

/// What is read, with the failure at its end if there is one.
Task<void> read(std::string_view bytes, std::size_t slice, As as, std::string* seen) {
  Bytes stream(bytes, slice);
  WireReader reader(&stream);
  try {
    const auto head = co_await reader.head();
    *seen = head;
    if (head.empty()) co_return;
    reader.begin_body(framing_of(head, as));
    for (auto piece = co_await reader.body(); !piece.empty(); piece = co_await reader.body()) *seen += piece;
    *seen += reader.body_done() ? " whole" : " not whole";
  } catch (const Error& error) {
    *seen += error.what();
  }
}

std::string read_sliced(std::string_view bytes, std::size_t slice, As as) {
  static async::Runtime runtime;
  std::string seen;
  runtime.run(read(bytes, slice, as, &seen));
  return seen;
}

}  // namespace
}  // namespace mtc::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc::http;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto as : {As::kRequest, As::kResponse}) {
    const auto whole = read_sliced(bytes, size + 1, as);
    const auto sliced = read_sliced(bytes, 1 + size % 7, as);
    // A body that breaks off may have given more or less of itself before.
    if (whole.ends_with(" whole") != sliced.ends_with(" whole")) std::abort();
    if (whole.ends_with(" whole") && whole != sliced) std::abort();
  }
  return 0;
}
