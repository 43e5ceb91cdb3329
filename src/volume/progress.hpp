#pragma once

#include <atomic>
#include <cstdint>

namespace mtc::volume {

enum class Stage : std::uint8_t {
  kConnecting,  ///< the other end was not met yet
  kScanning,    ///< met; no content has moved
  kCopying,
  kVerifying,
};

/// How far a run is. The run writes it; anybody may read it, at any time and from any thread.
struct Progress {
  std::atomic<Stage> stage = Stage::kConnecting;
  std::atomic<std::uint64_t> files = 0;        ///< whose content is where it belongs: sent, or found to be there
  std::atomic<std::uint64_t> bytes = 0;        ///< of those files
  std::atomic<std::uint64_t> files_total = 0;  ///< found so far, or all of them once `counted`
  std::atomic<std::uint64_t> bytes_total = 0;
  /// Bytes of content that were sent, written or, for a repository, read, over all runs.
  std::atomic<std::uint64_t> moved = 0;
  std::atomic<std::uint64_t> verified = 0;  ///< files that were read back
  std::atomic<bool> counted = false;

  void settle(std::uint64_t more_files, std::uint64_t more_bytes) {
    files += more_files;
    bytes += more_bytes;
  }
  void move(std::uint64_t content) {
    moved += content;
    stage = Stage::kCopying;
  }
  void found(std::uint64_t more_files, std::uint64_t more_bytes) {
    if (counted) return;
    files_total += more_files;
    bytes_total += more_bytes;
  }
  /// Another run begins from the first file.
  void begin() {
    stage = Stage::kScanning;
    files = bytes = files_total = bytes_total = verified = 0;
    counted = false;
  }
};

}  // namespace mtc::volume
