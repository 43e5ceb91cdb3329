#include "volume/file_error.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace mtc::volume {
namespace {

Code code_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ESTALE: return Code::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS: return Code::kForbidden;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return Code::kInvalid;
    case EOPNOTSUPP:
    case ENAMETOOLONG: return Code::kUnsupported;
    case EIO:
    case EUCLEAN: return Code::kCorrupt;
    default: return Code::kInternal;
  }
}

/// The length of the UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xC2 && first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if ((first >= 0x80 && first < 0xC2) || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

FileError::FileError(int number, std::string_view doing, std::string_view path)
    : Error(code_of(number), fmt::format("{} {}: {}", doing, printable(path), std::strerror(number))),  // NOLINT
      number_(number) {}

bool FileError::ends_the_run() const {
  return number_ == ENOSPC || number_ == EDQUOT || number_ == EROFS || number_ == EIO || number_ == EUCLEAN;
}

std::string printable(std::string_view path) {
  if (path.empty()) return ".";
  std::string out;
  while (!path.empty()) {
    const auto length = utf8_length(path);
    const auto byte = static_cast<unsigned char>(path[0]);
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
      path.remove_prefix(1);
    } else {
      out += path.substr(0, length);
      path.remove_prefix(length);
    }
  }
  return out;
}

}  // namespace mtc::volume
