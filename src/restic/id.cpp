#include "restic/id.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/hash.hpp"

namespace mtc::restic {

std::string Id::hex() const { return mtc::hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()}); }

std::string Id::brief() const { return hex().substr(0, 8); }

Id Id::from_raw(std::string_view raw) {
  Id id;
  std::memcpy(id.bytes.data(), raw.data(), id.bytes.size());
  return id;
}

Id Id::of(std::string_view content) { return from_raw(sha256(content)); }

std::optional<Id> Id::parse(std::string_view hex) {
  const auto lower_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (hex.size() != 64 || !std::ranges::all_of(hex, lower_hex)) return std::nullopt;
  return from_raw(*unhex(hex));
}

}  // namespace mtc::restic
