#pragma once

#include <string>
#include <utility>

#include <fmt/format.h>

namespace mtc {

/// A string that must not be seen: a token, a key, a password. Formats as "***"; the bytes come out only by reveal(),
/// which is easy to search for. Equality compares the bytes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  std::string value_;
};

}  // namespace mtc

template <>
struct fmt::formatter<mtc::Secret> : fmt::formatter<fmt::string_view> {
  auto format(const mtc::Secret&, format_context& ctx) const {
    return fmt::formatter<fmt::string_view>::format("***", ctx);
  }
};
