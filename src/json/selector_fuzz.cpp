#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>

#include "base/error.hpp"
#include "json/json.hpp"
#include "json/selector.hpp"

// Any text, read as a selector of labels, of fields, and as a LabelSelector: refused with Error(kInvalid), or its
// canonical text is read as the same selector.

namespace {

using mtc::Selector;

void check(const std::function<Selector()>& parse, Selector (*parse_again)(std::string_view)) {
  Selector selector;
  try {
    selector = parse();
  } catch (const mtc::Error& error) {
    if (error.code() != mtc::Code::kInvalid) std::abort();
    return;
  }
  const auto again = parse_again(selector.str());
  if (again.str() != selector.str()) std::abort();
  for (const auto& labels : {mtc::Json::object(), mtc::Json{{"app", "shop"}}, mtc::Json{{"a", ""}}}) {
    if (again.matches(labels) != selector.matches(labels)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check([&] { return Selector::parse(text); }, Selector::parse);
  check([&] { return Selector::parse_fields(text); }, Selector::parse_fields);
  mtc::Json object;
  try {
    object = mtc::parse_json(text);
  } catch (const mtc::Error&) {
    return 0;
  }
  check([&] { return Selector::from_json(object); }, Selector::parse);
  return 0;
}
