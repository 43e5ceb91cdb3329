#include "blob/key.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace mtc::blob {

void check_key(std::string_view key) {
  const auto refuse = [&](std::string_view why) {
    throw Error(Code::kInvalid, fmt::format("object key \"{}\": {}", key.substr(0, 100), why));
  };
  if (key.empty() || key.size() > 1024) refuse("must have 1 to 1024 bytes");
  if (key.contains('\0')) refuse("holds a NUL byte");
  for (const auto& segment : split(key, '/')) {
    if (segment == "." || segment == "..") refuse("holds a . or .. segment");
  }
}

void check_range(std::string_view key, const Range& range, std::uint64_t size) {
  if (range.offset < size || (range.offset == 0 && size == 0)) return;
  throw Error(Code::kInvalid, fmt::format("{} has {} bytes: a range cannot begin at byte {}", key, size, range.offset));
}

}  // namespace mtc::blob
