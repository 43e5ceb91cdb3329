#include "restic/store_content.hpp"

#include <deque>
#include <string_view>
#include <utility>

#include "async/runtime.hpp"
#include "volume/file_io.hpp"

namespace mtc::restic {
namespace {

/// Content on its way: windows are read one after the other, and sealed at once.
struct Content {
  Storing how;
  std::function<ContentWindow()> next;
  async::Semaphore turn{1};           // at `next`
  std::deque<std::vector<Id>> blobs;  ///< of each window; a deque, since tasks write to one while others are added
};

Task<void> seal_piece(const Storing* how, std::string_view piece, Id* id) {
  std::vector<Sealed> blobs;
  co_await async::offload([&] {
    *id = how->zeros->is(piece) ? how->zeros->id : Id::of(piece);
    if (auto sealed = how->repository->seal(BlobType::kData, *id, piece)) blobs.push_back(std::move(*sealed));
  });
  const bool is_new = !blobs.empty();
  if (is_new) co_await how->repository->add(std::move(blobs));
  how->stored(piece.size(), is_new);
}

Task<void> seal_window(const Storing* how, const ContentWindow* window, std::vector<Id>* ids) {
  ids->resize(window->sizes.size());
  std::vector<Task<void>> sealing;
  sealing.reserve(ids->size());
  std::string_view rest = window->bytes;
  for (std::size_t i = 0; i < ids->size(); ++i) {
    const auto piece = rest.substr(0, window->sizes[i]);
    rest.remove_prefix(piece.size());
    sealing.push_back(seal_piece(how, piece, &(*ids)[i]));
  }
  co_await async::all(std::move(sealing));
}

Task<void> store_windows(Content* content) {
  for (;;) {
    const auto permit = co_await content->how.windows->acquire();
    ContentWindow window;
    std::vector<Id>* ids = nullptr;
    {
      const auto turn = co_await content->turn.acquire();
      window = co_await async::offload([&] { return content->next(); });
      if (window.sizes.empty()) co_return;
      if (auto* reads = content->how.reads) {
        reads->count(window.bytes.size());
        co_await reads->keep();
      }
      ids = &content->blobs.emplace_back();
    }
    co_await seal_window(&content->how, &window, ids);
  }
}

}  // namespace

ZeroBlob::ZeroBlob(const Chunker& chunker) {
  const std::string zeros(Chunker::kMax, '\0');
  size = chunker.first(zeros);
  id = Id::of(std::string_view(zeros).substr(0, size));
}

bool ZeroBlob::is(std::string_view plain) const { return plain.size() == size && volume::all_zero(plain); }

Task<std::vector<Id>> store_content(Storing how, std::function<ContentWindow()> next) {
  Content content{.how = std::move(how), .next = std::move(next)};
  std::vector<Task<void>> lanes;
  lanes.reserve(Storing::kWindowsAtOnce);
  for (std::size_t i = 0; i < Storing::kWindowsAtOnce; ++i) lanes.push_back(store_windows(&content));
  co_await async::all(std::move(lanes));
  std::vector<Id> blobs;
  for (const auto& window : content.blobs) blobs.insert(blobs.end(), window.begin(), window.end());
  co_return blobs;
}

}  // namespace mtc::restic
