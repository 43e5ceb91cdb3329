#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "volume/report.hpp"
#include "volume/tree.hpp"
#include "volume/wire.hpp"

namespace mtc::volume {

/// A block device, or a regular file that stands for one: bytes of a size that does not change. All functions block and
/// may be called from any thread; failures are FileError.
class Device {
 public:
  enum class Access : std::uint8_t { kRead, kWrite };
  /// Throws Error(kInvalid) if `path` is neither, or empty. Who writes to a block device has it alone: EBUSY if
  /// something is mounted from it.
  Device(std::string path, Access access);

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  /// Appends what is there to `to`, and returns it.
  std::string_view read(std::string& to, std::uint64_t offset, std::uint64_t size) const;
  void write(std::uint64_t offset, std::string_view data);
  /// Makes the range read as zeros; gives its blocks back where the device can.
  void zero(std::uint64_t offset, std::uint64_t size);
  /// Brings to the disk what was written, here or by others of this machine, and forgets what is cached of it.
  void settle();
  /// Counts what was written to it since the machine runs: two different answers mean that it changed meanwhile.
  /// Nothing if the kernel does not tell.
  std::optional<std::string> writes() const;
  /// SHA-256 of any range, read from the disk and not from a cache: after settle().
  std::string digest_from_disk(Extent extent) const;

 private:
  std::string path_;
  bool block_ = false;
  std::uint64_t number_ = 0;  ///< of a block device
  Fd file_;
  Fd direct_;  ///< past the caches; where that is refused they were emptied
  std::uint64_t size_ = 0;
};

/// Opens a device to write to what a source of `size` bytes has. Throws Error(kInvalid) with both sizes if it is
/// smaller.
std::unique_ptr<Device> open_target(std::string path, std::uint64_t size);

/// Tells whether a device is written to while it is read. Blocks, as a Device does.
class DeviceWatch {
 public:
  /// Begins to watch. `device` outlives it.
  explicit DeviceWatch(Device& device);
  /// What was written since is in the report as a change.
  void note_writes(Report& report) const;

 private:
  Device* device_;
  std::optional<std::string> before_;
};

/// Makes what is at or behind `from` zeros, where it is not.
void zero_beyond(Device& device, std::uint64_t from);
/// The ranges at or behind `from` that have anything else than zeros.
std::vector<Extent> extras_beyond(const Device& device, std::uint64_t from);
/// Counts a difference of a device: "bytes 0-1048575". In a rehearsal whose source changed meanwhile it is excused.
void note_difference(Report& report, Extent at, std::string what);

/// How many extents a device of this size has.
std::uint64_t extents_of(std::uint64_t size);
/// The extent of that number.
Extent extent_at(std::uint64_t number, std::uint64_t size);
/// What stands for a device's content in a report: SHA-256 over its size and the SHA-256 of each extent in order.
std::string device_root(std::uint64_t size, std::string_view digests);

}  // namespace mtc::volume
