#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "base/error.hpp"
#include "http/url.hpp"

// Any text, read as a URL: refused with Error(kInvalid), or its text is read as the same URL. A query comes back from
// its own encoding.

namespace {

std::optional<mtc::http::Url> parsed(std::string_view text) {
  try {
    return mtc::http::Url::parse(text);
  } catch (const mtc::Error& error) {
    if (error.code() != mtc::Code::kInvalid) std::abort();
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto url = parsed(text)) {
    const auto again = parsed(url->str());
    if (!again || again->str() != url->str() || again->host != url->host || again->port != url->port) std::abort();
    if (url->authority().find_first_of(" \r\n/?#@") != std::string::npos) std::abort();
  }
  const auto query = decode_query(text);
  if (decode_query(encode_query(query)) != query) std::abort();
  return 0;
}
