#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "volume/attributes.hpp"
#include "volume/entry.hpp"

namespace mtc::restic {

/// The first second, before and after 1970, whose nanoseconds are too many for 64 bits: late in 1677, early in 2262.
/// What a time at or beyond it was is not known.
inline constexpr std::int64_t kTimeLimit = 9'223'372'036;

/// Takes attributes out that no snapshot can hold: the name is no UTF-8, which JSON needs, or all of them together are
/// more than volume::kMaxXattrs. Nothing else stands there instead.
volume::Lost drop_unkept(volume::Xattrs& xattrs);

/// What else of `name` in an open directory ("" = the directory itself) no snapshot holds: flags that chattr sets, and
/// a time from kTimeLimit on, for which `entry` gets the nearest that it holds. Nothing for a name that is gone.
/// Blocks.
volume::Lost drop_unkept_at(int directory, const std::string& name, volume::Entry& entry);

/// Whether an entry of a snapshot had such a time.
bool has_cut_time(const volume::Entry& entry);
inline constexpr std::string_view kCutTime = "time before 1678 or after 2261";

}  // namespace mtc::restic
