#pragma once

#include <string>

#include "volume/attributes.hpp"
#include "volume/entry.hpp"

namespace mtc::restic {

/// Takes attributes out that no snapshot can hold: the name is no UTF-8, which JSON needs, or all of them together are
/// more than volume::kMaxXattrs. Nothing else stands there instead.
volume::Lost drop_unkept(volume::Xattrs& xattrs);

/// The flags of `name` in an open directory ("" = the directory itself) that chattr sets, which no snapshot holds.
/// Nothing for a name that is gone. Blocks.
volume::Lost flags_at(int directory, const std::string& name);

}  // namespace mtc::restic
