#include "restic/packer.hpp"

#include <utility>

#include "async/runtime.hpp"

namespace mtc::restic {

/// Counts what is on its way. Work that ends early, by a failure or by a cancellation, took blobs with it that others
/// count on, so nothing may be added any more.
class Packer::Working {
 public:
  explicit Working(Packer& packer) : packer_(packer) { ++packer_.working_; }
  ~Working() {
    --packer_.working_;
    if (!ended_ && !packer_.failure_) packer_.failure_ = Error(Code::kUnavailable, "an upload was given up");
    packer_.done_.wake_all();
  }
  Working(const Working&) = delete;
  Working& operator=(const Working&) = delete;

  void ended() { ended_ = true; }
  void failed(const Error& error) {
    if (!packer_.failure_) packer_.failure_ = error;
  }

 private:
  Packer& packer_;
  bool ended_ = false;
};

Packer::Packer(Files& files, Index& index, std::uint64_t pack_size, unsigned uploads)
    : files_(files), index_(index), pack_size_(pack_size), uploads_(uploads) {}

void Packer::demand_sound() const {
  if (failure_) throw Error(*failure_);
}

Task<void> Packer::add(std::vector<Sealed> blobs) {
  demand_sound();
  std::vector<Pack> full;
  for (auto& blob : blobs) {
    auto& pack = open_[static_cast<std::size_t>(blob.type)];
    pack.add(std::move(blob));
    if (pack.full(pack_size_)) full.push_back(std::exchange(pack, {}));
  }
  for (auto& pack : full) co_await upload(std::move(pack));
}

Task<void> Packer::flush() {
  demand_sound();
  std::vector<Task<void>> last;
  for (auto& pack : open_) {
    if (!pack.empty()) last.push_back(upload(std::exchange(pack, {})));
  }
  co_await async::all(std::move(last));
  while (working_ > 0) co_await done_.wait();
  demand_sound();
  co_await save_index();
}

Task<void> Packer::upload(Pack pack) {
  Working working(*this);
  try {
    co_await upload_now(std::move(pack));
    if (unsaved_blobs_ >= kIndexBlobs) co_await save_index();
  } catch (const Error& error) {
    working.failed(error);
    throw;
  }
  working.ended();
}

Task<void> Packer::upload_now(Pack pack) {
  const auto permit = co_await uploads_.acquire();
  demand_sound();
  auto finished = co_await async::offload([&] { return std::move(pack).finish(files_.key()); });
  co_await files_.write(FileType::kPack, finished.id, std::move(finished.bytes));
  index_.add(finished.id, finished.blobs);
  unsaved_blobs_ += finished.blobs.size();
  unsaved_.packs.push_back({finished.id, std::move(finished.blobs)});
}

Task<void> Packer::save_index() {
  if (unsaved_.packs.empty()) co_return;
  Working working(*this);
  const auto file = std::exchange(unsaved_, {});
  unsaved_blobs_ = 0;
  try {
    auto text = co_await async::offload([&] { return encode_index(file); });
    co_await files_.save_document(FileType::kIndex, std::move(text));
  } catch (const Error& error) {
    working.failed(error);
    throw;
  }
  working.ended();
}

}  // namespace mtc::restic
