#include "http/message.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.hpp"

namespace mtc::http {

std::string_view Headers::get(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (iequals(key, name)) return value;
  }
  return {};
}

bool Headers::has(std::string_view name) const {
  return std::ranges::any_of(fields_, [&](const auto& field) { return iequals(field.first, name); });
}

void Headers::set(std::string name, std::string value) {
  remove(name);
  add(std::move(name), std::move(value));
}

void Headers::add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const auto& field) { return iequals(field.first, name); });
}

std::string Headers::redacted() const {
  constexpr std::array kSecret = {"authorization", "proxy-authorization", "cookie", "set-cookie",
                                  "x-amz-security-token"};
  std::string out;
  for (const auto& [name, value] : fields_) {
    const bool secret =
        std::ranges::any_of(kSecret, [&, &key = name](const char* known) { return iequals(key, known); });
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", name, secret ? "***" : value);
  }
  return out;
}

}  // namespace mtc::http
