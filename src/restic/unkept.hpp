#pragma once

#include "volume/attributes.hpp"
#include "volume/entry.hpp"

namespace mtc::restic {

/// Takes attributes out that no snapshot can hold: the name is no UTF-8, which JSON needs, or all of them together are
/// more than volume::kMaxXattrs. Nothing else stands there instead.
volume::Lost drop_unkept(volume::Xattrs& xattrs);

}  // namespace mtc::restic
