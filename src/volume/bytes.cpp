#include "volume/bytes.hpp"

#include <bit>

#include "base/error.hpp"

namespace mtc::volume {

static_assert(std::endian::native == std::endian::little, "the encoding is copied as it lies in memory");

namespace {

template <typename T>
void append(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
T take(std::string_view bytes) {
  T value{};
  bytes.copy(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

}  // namespace

Writer& Writer::u8(std::uint8_t value) {
  append(bytes_, value);
  return *this;
}
Writer& Writer::u32(std::uint32_t value) {
  append(bytes_, value);
  return *this;
}
Writer& Writer::u64(std::uint64_t value) {
  append(bytes_, value);
  return *this;
}
Writer& Writer::text(std::string_view value) {
  u32(static_cast<std::uint32_t>(value.size()));
  return raw(value);
}
Writer& Writer::raw(std::string_view value) {
  bytes_.append(value);
  return *this;
}

std::uint8_t Reader::u8() { return take<std::uint8_t>(raw(1)); }
std::uint32_t Reader::u32() { return take<std::uint32_t>(raw(4)); }
std::uint64_t Reader::u64() { return take<std::uint64_t>(raw(8)); }

std::string_view Reader::text(std::size_t limit) {
  const auto size = u32();
  if (size > limit) throw Error(Code::kCorrupt, "a length is beyond its limit");
  return raw(size);
}

std::string_view Reader::raw(std::size_t size) {
  if (rest_.size() < size) throw Error(Code::kCorrupt, "the bytes end too early");
  const auto out = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return out;
}

void Reader::end() const {
  if (!rest_.empty()) throw Error(Code::kCorrupt, "there are bytes too many");
}

}  // namespace mtc::volume
