#include "volume/entry.hpp"

#include "base/error.hpp"

namespace mtc::volume {
namespace {

[[noreturn]] void refuse(const char* why) { throw Error(Code::kCorrupt, std::string("a file entry ") + why); }

void check(const Entry& entry) {
  if (!entry.name.empty() && !is_safe_name(entry.name)) refuse("has an impossible name");
  if (entry.name.empty() && entry.type != Type::kDirectory) refuse("has no name");
  if ((entry.mode & ~07777U) != 0) refuse("has an impossible mode");
  const bool file = entry.type == Type::kFile;
  if (!file && (entry.size != 0 || entry.sparse)) refuse("has a size and is no file");
  if (entry.size > static_cast<std::uint64_t>(INT64_MAX)) refuse("has an impossible size");
  const bool link = entry.type == Type::kSymlink;
  if (link == entry.target.empty()) refuse("has a target and is no link, or the reverse");
  if (entry.target.find('\0') != std::string::npos) refuse("has a target with a NUL");
  const bool device = entry.type == Type::kCharDevice || entry.type == Type::kBlockDevice;
  if (!device && entry.rdev != 0) refuse("has a device number and is no device");
  if (entry.type == Type::kDirectory && entry.shared) refuse("is a directory with two names");
}

}  // namespace

bool is_safe_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

bool is_safe_path(std::string_view path) {
  if (path.size() > kMaxPath) return false;
  while (!path.empty()) {
    const auto slash = path.find('/');
    if (!is_safe_name(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
    if (path.empty()) return false;
  }
  return true;
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string out(directory);
  if (!out.empty() && !name.empty()) out += '/';
  return out += name;
}

void encode(Writer& to, const Entry& entry) {
  const auto flags = (entry.sparse ? 1U : 0U) | (entry.shared ? 2U : 0U);
  to.text(entry.name).u8(static_cast<std::uint8_t>(entry.type)).u8(static_cast<std::uint8_t>(flags));
  to.u32(entry.mode).u32(entry.uid).u32(entry.gid).u64(entry.size);
  to.u64(static_cast<std::uint64_t>(entry.mtime_ns)).u64(entry.rdev).text(entry.target);
  to.u32(static_cast<std::uint32_t>(entry.xattrs.size()));
  for (const auto& [name, value] : entry.xattrs) to.text(name).text(value);
}

Entry decode_entry(Reader& from) {
  Entry entry;
  entry.name = from.text(kMaxName);
  const auto type = from.u8();
  if (type < 1 || type > static_cast<std::uint8_t>(Type::kBlockDevice)) refuse("has an unknown type");
  entry.type = static_cast<Type>(type);
  const auto flags = from.u8();
  if (flags > 3) refuse("has unknown flags");
  entry.sparse = (flags & 1) != 0;
  entry.shared = (flags & 2) != 0;
  entry.mode = from.u32();
  entry.uid = from.u32();
  entry.gid = from.u32();
  entry.size = from.u64();
  entry.mtime_ns = static_cast<std::int64_t>(from.u64());
  entry.rdev = from.u64();
  entry.target = from.text(kMaxTarget);
  std::size_t total = 0;
  for (auto count = from.u32(); count > 0; --count) {
    std::string name(from.text(kMaxName));
    if (name.empty() || name.find('\0') != std::string::npos) refuse("has an attribute with an impossible name");
    if (!entry.xattrs.empty() && entry.xattrs.back().first >= name) refuse("has attributes out of order");
    std::string value(from.text(kMaxXattrs));
    total += name.size() + value.size();
    if (total > kMaxXattrs) refuse("has too many attributes");
    entry.xattrs.emplace_back(std::move(name), std::move(value));
  }
  check(entry);
  return entry;
}

}  // namespace mtc::volume
