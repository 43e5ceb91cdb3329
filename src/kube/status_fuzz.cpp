#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "json/json.hpp"
#include "kube/status.hpp"

// Any body of an answer that is no 2xx: an Error that says what was done, with the status it came with, in a text of
// bounded size that can be put into a condition.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  const std::string body(reinterpret_cast<const char*>(data), size);
  for (const int status : {301, 401, 404, 409, 410, 422, 429, 500, 503}) {
    const auto error = kube::error_of({status, "", {{"Retry-After", body.substr(0, 8)}}, body}, "get pods shop/web");
    const std::string_view text = error.what();
    if (!text.starts_with("get pods shop/web: ") || error.http_status() != status || error.message().empty())
      std::abort();
    if (text.size() > size + 100) std::abort();
    parse_json(dump(Json(std::string(text))));
  }
  return 0;
}
