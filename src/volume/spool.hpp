#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "volume/tree.hpp"

namespace mtc::volume {

/// Records that do not fit in memory: written in any order, read back by their keys. Lies in an unnamed file of TMPDIR
/// (16 bytes of memory a record), or in memory if there is no place to write to. put() may be called from any thread,
/// also at once; the rest after all put() are done.
class Spool {
 public:
  Spool();
  void put(std::uint64_t key, std::string_view record);
  /// Orders the records by key, equal keys as they came.
  void sort();
  std::size_t size() const { return places_.size(); }
  std::string get(std::size_t index) const;

 private:
  struct Place {
    std::uint64_t key;
    std::uint64_t offset;
  };
  void flush();

  std::mutex mutex_;
  Fd file_;
  std::string pending_;
  std::uint64_t written_ = 0;
  std::vector<Place> places_;
};

}  // namespace mtc::volume
