#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "json/json.hpp"
#include "json/yaml.hpp"

// Any text, read as YAML: refused with an Error, or bounded. Any JSON comes back from the YAML that is written of it.

namespace {

void write_and_read_again(std::string_view text) {
  mtc::Json value;
  try {
    value = mtc::parse_json(text);
  } catch (const mtc::Error&) {
    return;
  }
  if (value.is_null()) return;  // an empty document
  if (mtc::parse_yaml_one(mtc::to_yaml(value)) != value) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  write_and_read_again(text);
  try {
    for (const auto& document : mtc::parse_yaml(text)) mtc::dump(document);
  } catch (const mtc::Error& error) {
    if (error.code() != mtc::Code::kInvalid) std::abort();
  }
  return 0;
}
