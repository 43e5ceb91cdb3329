#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "restic/chunker.hpp"

namespace mtc::restic {

/// A part of long content, cut into blobs: one begins where the one before it ends.
struct ContentWindow {
  std::string bytes;
  std::vector<std::size_t> sizes;
};

/// Cuts content that is longer than memory should hold, from its beginning to its end. One thread at a time.
class ContentWindows {
 public:
  /// Appends up to `size` bytes from `offset` on to `to`, and returns them; fewer only at the end.
  using Read = std::function<std::string_view(std::string& to, std::uint64_t offset, std::uint64_t size)>;

  /// `size` is how much is read at most; `chunker` outlives the windows.
  ContentWindows(const Chunker& chunker, std::uint64_t size, Read read)
      : chunker_(&chunker), size_(size), read_(std::move(read)) {}

  /// The next blobs, some 10 MiB of them; none at the end. Throws what `read` throws.
  ContentWindow next();
  /// How much was read.
  std::uint64_t bytes_read() const { return done_; }

 private:
  void fill(ContentWindow& window);

  const Chunker* chunker_;
  std::uint64_t size_;
  Read read_;
  std::string uncut_;  ///< behind the last blob that was given
  std::uint64_t done_ = 0;
  bool ended_ = false;
};

}  // namespace mtc::restic
