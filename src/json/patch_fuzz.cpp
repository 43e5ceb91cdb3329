#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "json/patch.hpp"

// Two lines of JSON, a target and a patch of each kind: refused with an Error, or a document that can be written and
// read again. The patch between the two, applied to the first, gives the second.

namespace {

using mtc::Json;

void check(const Json& patched) {
  if (mtc::parse_json(mtc::dump(patched), {.max_depth = 2048}) != patched) std::abort();
}

template <typename Apply>
void apply_and_check(const Apply& apply) {
  Json patched;
  try {
    patched = apply();
  } catch (const mtc::Error& error) {
    if (error.code() != mtc::Code::kInvalid) std::abort();
    return;
  }
  check(patched);
}

}  // namespace

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
  const auto& target = values[0];
  const auto& patch = values[1];
  apply_and_check([&] { return apply_json_patch(target, patch); });
  apply_and_check([&] { return apply_merge_patch(target, patch); });
  for (const auto* kind : {"Deployment", "Service"}) {
    apply_and_check([&] { return apply_strategic_patch(target, patch, kind); });
  }
  const bool both_objects = target.is_object() && patch.is_object();
  // RFC 7386 cannot say "set to null".
  if (both_objects && !dump(patch).contains("null") &&
      apply_merge_patch(target, merge_patch_between(target, patch)) != patch) {
    std::abort();
  }
  return 0;
}
