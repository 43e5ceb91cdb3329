#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "async/wait_list.hpp"
#include "base/error.hpp"
#include "net/stream.hpp"

namespace mtc::net {
namespace {

/// One direction: bytes on their way.
struct Channel {
  explicit Channel(std::size_t most) : capacity(most) {}
  std::size_t capacity;
  std::string bytes;
  bool writer_gone = false;
  bool reader_gone = false;
  async::WaitList changed;
};

class PipeEnd final : public Stream {
 public:
  PipeEnd(std::shared_ptr<Channel> in, std::shared_ptr<Channel> out) : in_(std::move(in)), out_(std::move(out)) {}
  ~PipeEnd() override { leave(); }

  Task<std::size_t> read_some(std::span<char> into) override {
    co_await async::throw_if_cancelled();
    while (in_->bytes.empty()) {
      if (in_->writer_gone) co_return 0;
      if (in_->reader_gone) throw Error(Code::kUnavailable, "read from a closed pipe");
      co_await in_->changed.wait();
    }
    const auto size = std::min(into.size(), in_->bytes.size());
    std::memcpy(into.data(), in_->bytes.data(), size);
    in_->bytes.erase(0, size);
    in_->changed.wake_all();
    co_return size;
  }

  Task<void> write_all(std::string_view data) override {
    co_await async::throw_if_cancelled();
    while (!data.empty()) {
      if (out_->reader_gone || out_->writer_gone) throw Error(Code::kUnavailable, "write to a closed pipe");
      const auto room = out_->capacity - std::min(out_->capacity, out_->bytes.size());
      if (room == 0) {
        co_await out_->changed.wait();
        continue;
      }
      const auto size = std::min(room, data.size());
      out_->bytes.append(data.substr(0, size));
      data.remove_prefix(size);
      out_->changed.wake_all();
    }
  }

  Task<void> close() override {
    leave();
    co_return;
  }

  bool quiet() const override { return in_->bytes.empty() && !in_->writer_gone; }
  std::string peer() const override { return "pipe"; }

 private:
  void leave() {
    in_->reader_gone = true;
    out_->writer_gone = true;
    in_->changed.wake_all();
    out_->changed.wake_all();
  }

  std::shared_ptr<Channel> in_;
  std::shared_ptr<Channel> out_;
};

}  // namespace

std::pair<StreamPtr, StreamPtr> make_pipe(std::size_t capacity) {
  auto there = std::make_shared<Channel>(capacity);
  auto back = std::make_shared<Channel>(capacity);
  return {std::make_unique<PipeEnd>(back, there), std::make_unique<PipeEnd>(there, back)};
}

}  // namespace mtc::net
