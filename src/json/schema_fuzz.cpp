#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "json/schema.hpp"

// Two lines of JSON, a schema and an object: whatever they are, pruning and defaulting a second time change nothing,
// and what is left can be validated.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  std::vector<Json> values;
  try {
    for (const auto& line : split({reinterpret_cast<const char*>(data), size}, '\n'))
      values.push_back(parse_json(line));
  } catch (const Error&) {
    return -1;
  }
  if (values.size() != 2) return -1;
  const auto& schema = values[0];
  auto& object = values[1];

  prune(schema, object);
  const auto pruned = object;
  if (!prune(schema, object).empty() || object != pruned) std::abort();

  try {
    apply_defaults(schema, object);
  } catch (const Error& error) {
    if (error.code() != Code::kInvalid) std::abort();
    return 0;
  }
  const auto defaulted = object;
  apply_defaults(schema, object);
  if (object != defaulted) std::abort();

  for (const auto& violation : validate_schema(schema, object)) {
    if (violation.field.empty() || violation.reason.empty() || violation.message.empty()) std::abort();
  }
  return 0;
}
