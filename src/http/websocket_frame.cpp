#include "http/websocket_frame.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mtc::http {
namespace {

constexpr unsigned kFin = 0x80;
constexpr unsigned kReserved = 0x70;
constexpr unsigned kMasked = 0x80;
constexpr unsigned kTwoByteLength = 126;
constexpr unsigned kEightByteLength = 127;

[[noreturn]] void malformed(const char* what) {
  throw Error(Code::kCorrupt, std::string("malformed WebSocket frame: ") + what);
}

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

bool is_known(unsigned opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

}  // namespace

std::optional<ParsedFrameHead> parse_frame_head(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  ParsedFrameHead parsed{{}, 2};
  auto& head = parsed.head;
  if ((byte_at(bytes, 0) & kReserved) != 0) malformed("reserved bits are set");
  const auto opcode = byte_at(bytes, 0) & 0x0F;
  if (!is_known(opcode)) malformed("unknown opcode");
  head.opcode = static_cast<Opcode>(opcode);
  head.last = (byte_at(bytes, 0) & kFin) != 0;
  head.length = byte_at(bytes, 1) & 0x7F;
  if (is_control(head.opcode) && (!head.last || head.length >= kTwoByteLength)) malformed("control frame is too long");

  if (head.length >= kTwoByteLength) {
    const std::size_t width = head.length == kTwoByteLength ? 2 : 8;
    if (bytes.size() < parsed.size + width) return std::nullopt;
    const auto shortest = head.length == kTwoByteLength ? std::uint64_t{kTwoByteLength} : std::uint64_t{0x10000};
    head.length = big_endian(bytes.substr(parsed.size, width));
    if (head.length < shortest || head.length >> 63 != 0) malformed("length");
    parsed.size += width;
  }
  if ((byte_at(bytes, 1) & kMasked) != 0) {
    if (bytes.size() < parsed.size + sizeof(Mask)) return std::nullopt;
    std::ranges::copy(bytes.substr(parsed.size, sizeof(Mask)), head.mask.emplace().begin());
    parsed.size += sizeof(Mask);
  }
  return parsed;
}

std::string serialize_frame_head(const FrameHead& head) {
  std::string out;
  out += static_cast<char>((head.last ? kFin : 0) | static_cast<unsigned>(head.opcode));
  const unsigned masked = head.mask ? kMasked : 0;
  if (head.length < kTwoByteLength) {
    out += static_cast<char>(masked | head.length);
  } else if (head.length <= 0xFFFF) {
    out += static_cast<char>(masked | kTwoByteLength);
    append_big_endian(out, head.length, 2);
  } else {
    out += static_cast<char>(masked | kEightByteLength);
    append_big_endian(out, head.length, 8);
  }
  if (head.mask) out.append(head.mask->data(), head.mask->size());
  return out;
}

void apply_mask(Mask mask, char* data, std::size_t size, std::uint64_t offset) {
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(data[i] ^ mask[(offset + i) % mask.size()]);
}

}  // namespace mtc::http
