#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "net/stream.hpp"

namespace mtc::net {
namespace {

class PrefixedStream final : public Stream {
 public:
  PrefixedStream(std::string prefix, StreamPtr inner) : prefix_(std::move(prefix)), inner_(std::move(inner)) {}

  Task<std::size_t> read_some(std::span<char> into) override {
    if (prefix_.empty()) co_return co_await inner_->read_some(into);
    const auto size = std::min(into.size(), prefix_.size());
    std::memcpy(into.data(), prefix_.data(), size);
    prefix_.erase(0, size);
    co_return size;
  }
  Task<void> write_all(std::string_view data) override { return inner_->write_all(data); }
  Task<void> close() override { return inner_->close(); }
  bool quiet() const override { return prefix_.empty() && inner_->quiet(); }
  std::string peer() const override { return inner_->peer(); }

 private:
  std::string prefix_;
  StreamPtr inner_;
};

}  // namespace

StreamPtr with_prefix(std::string prefix, StreamPtr stream) {
  if (prefix.empty()) return stream;
  return std::make_unique<PrefixedStream>(std::move(prefix), std::move(stream));
}

}  // namespace mtc::net
