#include "restic/content_windows.hpp"

#include <algorithm>
#include <utility>

namespace mtc::restic {
namespace {

constexpr std::size_t kBuffer = Chunker::kMax + Chunker::kMax / 2;

}  // namespace

/// Reads behind what `window` holds as much as there is room for.
void ContentWindows::fill(ContentWindow& window) {
  window.bytes.reserve(kBuffer);
  window.bytes += std::exchange(uncut_, {});
  const auto wanted = std::min<std::uint64_t>(kBuffer - window.bytes.size(), size_ - done_);
  const auto more = read_(window.bytes, done_, wanted);
  done_ += more.size();
  ended_ = more.size() < wanted || done_ == size_;  // It may have become shorter.
}

ContentWindow ContentWindows::next() {
  ContentWindow window;
  if (ended_) return window;
  fill(window);
  std::string_view rest = window.bytes;
  while (!rest.empty()) {
    const auto size = chunker_->first(rest);
    if (size == rest.size() && size < Chunker::kMax && !ended_) break;  // Its end lies in the next window.
    window.sizes.push_back(size);
    rest.remove_prefix(size);
  }
  uncut_ = rest;
  return window;
}

}  // namespace mtc::restic
