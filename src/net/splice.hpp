#pragma once

#include "net/stream.hpp"

namespace mtc::net {

/// Hands on what either stream says to the other until one of them ends; what that one said has gone out then. At most
/// 64 KiB a direction are held, so that who does not read stops who writes. Both streams outlive the task and are
/// unusable afterwards: close them. Throws what the streams throw.
Task<void> splice(Stream* one, Stream* other);

}  // namespace mtc::net
