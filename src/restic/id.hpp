#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace mtc::restic {

/// SHA-256 of a blob's plaintext, or of a file's bytes: what everything in a repository is named by.
struct Id {
  std::array<std::uint8_t, 32> bytes{};

  auto operator<=>(const Id&) const = default;
  /// 64 lower-case hex digits.
  std::string hex() const;
  /// The first 8 of them, for messages.
  std::string brief() const;

  /// The 32 bytes as text.
  std::string_view raw() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

  /// Of the 32 bytes of a hash.
  static Id from_raw(std::string_view raw);
  /// The Id of `content`.
  static Id of(std::string_view content);
  /// nullopt unless it is 64 lower-case hex digits.
  static std::optional<Id> parse(std::string_view hex);
};

/// For hash tables: an Id is uniform already.
struct IdHash {
  std::size_t operator()(const Id& id) const noexcept {
    std::size_t head = 0;
    std::memcpy(&head, id.bytes.data(), sizeof head);
    return head;
  }
};

}  // namespace mtc::restic
