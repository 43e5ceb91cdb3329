#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mtc::http {

/// RFC 6455 §5.2.
enum class Opcode : std::uint8_t { kContinue = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };
inline bool is_control(Opcode opcode) { return static_cast<std::uint8_t>(opcode) >= 8; }

using Mask = std::array<char, 4>;

struct FrameHead {
  Opcode opcode = Opcode::kBinary;
  bool last = true;  ///< FIN
  std::optional<Mask> mask;
  std::uint64_t length = 0;  ///< of the payload
};

/// The longest head: 2 bytes, 8 of length, 4 of mask.
inline constexpr std::size_t kMaxFrameHead = 14;

struct ParsedFrameHead {
  FrameHead head;
  std::size_t size = 0;  ///< bytes that the head takes
};
/// Nothing if `bytes` end inside the head. Throws Error(kCorrupt) for what RFC 6455 forbids: reserved bits and opcodes,
/// fragmented or long control frames, lengths that are not in their shortest form.
std::optional<ParsedFrameHead> parse_frame_head(std::string_view bytes);

std::string serialize_frame_head(const FrameHead& head);

/// Masks or unmasks `data` in place (§5.3); `offset` is the place of its first byte in the payload.
void apply_mask(Mask mask, char* data, std::size_t size, std::uint64_t offset = 0);

}  // namespace mtc::http
