#include "restic/unkept.hpp"

#include <array>
#include <cstdint>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>

#include "restic/go_text.hpp"

namespace mtc::restic {
namespace {

struct Flag {
  std::uint64_t bit;
  std::string_view name;
};
constexpr std::array<Flag, 4> kFlags{{{STATX_ATTR_IMMUTABLE, "flag immutable"},
                                      {STATX_ATTR_APPEND, "flag append-only"},
                                      {STATX_ATTR_NODUMP, "flag no-dump"},
                                      {STATX_ATTR_VERITY, "flag verity"}}};

}  // namespace

volume::Lost drop_unkept(volume::Xattrs& xattrs) {
  volume::Lost lost;
  std::size_t total = 0;
  std::erase_if(xattrs, [&](const auto& attribute) {
    const auto& [name, value] = attribute;
    const auto with_it = total + name.size() + value.size();
    const bool kept = is_utf8(name) && with_it <= volume::kMaxXattrs;
    if (kept) total = with_it;
    if (!kept) lost.push_back("attribute " + name);
    return !kept;
  });
  return lost;
}

volume::Lost flags_at(int directory, const std::string& name) {
  volume::Lost lost;
  struct statx found{};
  // It was looked at just now: a server need not be asked again.
  constexpr auto kHow = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (::statx(directory, name.c_str(), kHow, STATX_TYPE, &found) != 0) return lost;
  for (const auto& flag : kFlags) {
    if ((found.stx_attributes & flag.bit) != 0) lost.emplace_back(flag.name);
  }
  return lost;
}

}  // namespace mtc::restic
