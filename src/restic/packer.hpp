#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "async/scope.hpp"
#include "async/task.hpp"
#include "async/wait_list.hpp"
#include "base/error.hpp"
#include "restic/blob.hpp"
#include "restic/files.hpp"
#include "restic/index.hpp"
#include "restic/index_file.hpp"
#include "restic/pack.hpp"

namespace mtc::restic {

/// Puts sealed blobs into packs, one of data and one of trees open at a time, and writes the index of them.
class Packer {
 public:
  Packer(Files& files, Index& index, std::uint64_t pack_size, unsigned uploads);

  /// See Repository.
  Task<void> add(std::vector<Sealed> blobs);
  Task<void> flush();

 private:
  class Working;

  Task<void> upload(Pack pack);
  Task<void> upload_now(Pack pack);
  Task<void> save_index();
  void demand_sound() const;

  Files& files_;
  Index& index_;
  std::uint64_t pack_size_;
  async::Semaphore uploads_;
  std::array<Pack, 2> open_;
  IndexFile unsaved_;  ///< packs that are stored, but in no index
  std::size_t unsaved_blobs_ = 0;
  std::size_t working_ = 0;  ///< uploads and index files on their way
  async::WaitList done_;
  std::optional<Error> failure_;
};

}  // namespace mtc::restic
