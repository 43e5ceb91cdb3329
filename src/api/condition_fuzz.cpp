#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "api/condition.hpp"
#include "base/error.hpp"

// Any JSON as stored conditions: what a pass that finds everything as it was writes, the next one leaves alone.

namespace {

using namespace mtc;

class FixedClock final : public Clock {
 public:
  Time now() const override { return {}; }
};

/// What a pass writes that keeps all it knows and finds Ready.
Json after_pass(const Json& stored) {
  const FixedClock clock;
  api::Conditions conditions(stored, clock);
  for (const auto& condition : stored.is_array() ? stored : Json::array()) {
    conditions.keep({string_at(condition, "type")});
  }
  conditions.set({.type = "Listed", .message = "These: [].", .items = {"b", "a"}});
  conditions.set_ready(true, "It is ready.");
  return conditions.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Json stored;
  try {
    stored = parse_json({reinterpret_cast<const char*>(data), size});
  } catch (const Error&) {
    return -1;
  }
  api::has_condition(stored, "Ready");
  const auto once = after_pass(stored);
  if (after_pass(once) != once) std::abort();
  return 0;
}
