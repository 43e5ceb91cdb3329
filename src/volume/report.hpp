#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "volume/scan.hpp"

namespace mtc::volume {

/// A difference that verification found.
struct Difference {
  std::string path;
  std::string
      what;  ///< "content", "mode", "owner", "time", "size", "type", "target", "attributes", "missing", "extra"…
};

/// A kind of thing that the destination did not take over, and how often.
struct Loss {
  std::string what;  ///< "owner", "mode", "device", "attribute user.x"…
  std::uint64_t count = 0;
  std::string path;  ///< the first
};

/// What one run did. Lists keep their first kListed items; the counts are exact.
struct Report {
  static constexpr std::size_t kListed = 1000;

  std::uint64_t entries = 0;         ///< of the source
  std::uint64_t files = 0;           ///< whose content was sent
  std::uint64_t bytes = 0;           ///< of content that was sent
  std::uint64_t skipped = 0;         ///< files that were the same
  std::uint64_t deleted = 0;         ///< extras that were removed
  std::uint64_t failed = 0;          ///< entries that could not be read or written
  std::uint64_t changed_count = 0;   ///< files that changed while they were read
  std::uint64_t vanished_count = 0;  ///< names that were gone when their turn came
  std::uint64_t differing = 0;       ///< what verification found
  std::uint64_t excused = 0;         ///< what it found and may be: of what changed, or of what this end cannot keep
  std::vector<Problem> changed;
  std::vector<Problem> vanished;
  std::vector<Problem> failures;
  std::vector<Loss> losses;  ///< owners, attributes and devices that the destination does not take
  std::vector<Difference> differences;
  bool lenient = false;     ///< it was a rehearsal: what changed meanwhile is no failure
  bool verified = false;    ///< a verification ran
  std::string source_root;  ///< 32 bytes: the source's Merkle root; "" if not verified
  std::string destination_root;
  std::uint64_t device = 0;  ///< bytes of the block device that was sent; 0 if it was a tree
  std::uint64_t beyond = 0;  ///< bytes that the destination's device has more, which are zeros now

  /// What changed or vanished under our hands.
  std::uint64_t unsettled() const { return changed_count + vanished_count; }
  /// Nothing failed, nothing changed under our hands, and if verified, nothing differs.
  bool complete() const {
    return failed == 0 && unsettled() == 0 && differing == 0 && (source_root == destination_root || excused > 0);
  }

  /// Counts a loss.
  void lose(std::string_view what, std::uint64_t count, const std::string& path) {
    const auto known = std::ranges::find(losses, what, &Loss::what);
    if (known != losses.end()) {
      known->count += count;
    } else if (losses.size() < kKinds) {
      losses.push_back({std::string(what), count, path});
    } else {
      losses.back().what = "other things";
      losses.back().count += count;
    }
  }

 private:
  static constexpr std::size_t kKinds = 50;
};

/// Appends unless the list is full.
template <typename T>
void note(std::vector<T>& list, T item) {
  if (list.size() < Report::kListed) list.push_back(std::move(item));
}

}  // namespace mtc::volume
