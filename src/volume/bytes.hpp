#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace mtc::volume {

/// Appends numbers (little-endian) and strings (length first) to a buffer.
class Writer {
 public:
  Writer() = default;
  /// Writes into the memory of `reused`, whose content goes.
  explicit Writer(std::string reused) : bytes_(std::move(reused)) { bytes_.clear(); }
  Writer& u8(std::uint8_t value);
  Writer& u32(std::uint32_t value);
  Writer& u64(std::uint64_t value);
  /// A u32 length, then the bytes.
  Writer& text(std::string_view value);
  /// The bytes alone.
  Writer& raw(std::string_view value);
  std::string& bytes() { return bytes_; }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads what Writer wrote; every step past the end or past a limit throws Error(kCorrupt).
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  /// Views into the bytes that were given; at most `limit` long.
  std::string_view text(std::size_t limit);
  std::string_view raw(std::size_t size);
  bool done() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }
  /// Throws Error(kCorrupt) unless everything was read.
  void end() const;

 private:
  std::string_view rest_;
};

}  // namespace mtc::volume
