#pragma once

#include "restic/restore.hpp"

namespace mtc::restic {

/// restore() of a block device of `size` bytes; the index is loaded. `options` and `snapshot` outlive the task. Throws
/// Error(kInvalid) with both sizes if the device is smaller, before anything is written.
Task<volume::Report> restore_device(Repository* repository, const RestoreOptions* options, const Snapshot* snapshot,
                                    std::uint64_t size);

}  // namespace mtc::restic
