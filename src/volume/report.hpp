#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "volume/scan.hpp"

namespace mtc::volume {

/// A difference that verification found.
struct Difference {
  std::string path;
  std::string
      what;  ///< "content", "mode", "owner", "time", "size", "type", "target", "attributes", "missing", "extra"…
};

/// What one run did. Lists keep their first kListed items; the counts are exact.
struct Report {
  static constexpr std::size_t kListed = 1000;

  std::uint64_t entries = 0;        ///< of the source
  std::uint64_t files = 0;          ///< whose content was sent
  std::uint64_t bytes = 0;          ///< of content that was sent
  std::uint64_t skipped = 0;        ///< files that were the same
  std::uint64_t deleted = 0;        ///< extras that were removed
  std::uint64_t failed = 0;         ///< entries that could not be read or written
  std::uint64_t changed_count = 0;  ///< files that changed while they were read
  std::uint64_t differing = 0;      ///< what verification found
  std::vector<Problem> changed;
  std::vector<Problem> vanished;
  std::vector<Problem> failures;
  std::vector<Problem> not_kept;  ///< owners, attributes and devices that the destination does not take
  std::vector<Difference> differences;
  bool verified = false;    ///< a verification ran
  std::string source_root;  ///< 32 bytes: the source's Merkle root; "" if not verified
  std::string destination_root;

  /// Nothing failed, nothing changed under our hands, and if verified, nothing differs.
  bool complete() const {
    return failed == 0 && changed_count == 0 && differing == 0 && source_root == destination_root;
  }
};

/// Appends unless the list is full.
template <typename T>
void note(std::vector<T>& list, T item) {
  if (list.size() < Report::kListed) list.push_back(std::move(item));
}

}  // namespace mtc::volume
