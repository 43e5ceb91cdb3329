#include "net/paced.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace mtc::net {
namespace {

/// Small enough for a slow pace to look like one to the other end, and not like silence.
constexpr std::size_t kPiece = 64 * 1024;

class PacedStream final : public Stream {
 public:
  PacedStream(StreamPtr inner, PacePtr bytes) : inner_(std::move(inner)), bytes_(std::move(bytes)) {}

  Task<std::size_t> read_some(std::span<char> into) override {
    const auto size = co_await inner_->read_some(into.first(std::min(into.size(), piece())));
    co_await bytes_->take(size);
    co_return size;
  }
  Task<void> write_all(std::string_view data) override {
    while (!data.empty()) {
      const auto some = data.substr(0, piece());
      co_await bytes_->take(some.size());
      co_await inner_->write_all(some);
      data.remove_prefix(some.size());
    }
  }
  Task<void> close() override { return inner_->close(); }
  bool quiet() const override { return inner_->quiet(); }
  std::string peer() const override { return inner_->peer(); }

 private:
  /// Whoever has no bound to keep does it at once.
  std::size_t piece() const { return bytes_->per_second() > 0 ? kPiece : std::string_view::npos; }

  StreamPtr inner_;
  PacePtr bytes_;
};

class PacedConnector final : public Connector {
 public:
  PacedConnector(ConnectorPtr inner, PacePtr bytes) : inner_(std::move(inner)), bytes_(std::move(bytes)) {}

  Task<StreamPtr> connect(Endpoint to) override {
    auto stream = co_await inner_->connect(std::move(to));
    co_return paced(std::move(stream), bytes_);
  }

 private:
  ConnectorPtr inner_;
  PacePtr bytes_;
};

}  // namespace

StreamPtr paced(StreamPtr stream, PacePtr bytes) {
  if (!bytes) return stream;
  return std::make_unique<PacedStream>(std::move(stream), std::move(bytes));
}

ConnectorPtr paced_connector(ConnectorPtr connector, PacePtr bytes) {
  return std::make_shared<PacedConnector>(std::move(connector), std::move(bytes));
}

}  // namespace mtc::net
