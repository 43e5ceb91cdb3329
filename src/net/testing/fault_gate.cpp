#include "net/testing/fault_gate.hpp"

#include <algorithm>
#include <utility>

#include "async/wait_list.hpp"
#include "base/error.hpp"

namespace mtc::net::testing {
namespace {

class FaultyStream final : public Stream {
 public:
  FaultyStream(StreamPtr inner, Faults faults) : inner_(std::move(inner)), faults_(faults) {}

  Task<std::size_t> read_some(std::span<char> into) override {
    if (reset_ || (faults_.reset_read_after && read_ >= *faults_.reset_read_after)) reset();
    if (faults_.close_read_after && read_ >= *faults_.close_read_after) co_return 0;
    if (faults_.stall_read_after && read_ >= *faults_.stall_read_after) co_await stalled_.wait();
    into = into.first(allowed(into.size()));
    const auto size = co_await inner_->read_some(into);
    if (faults_.corrupt_read_at && *faults_.corrupt_read_at >= read_ && *faults_.corrupt_read_at < read_ + size) {
      into[*faults_.corrupt_read_at - read_] ^= 1;
    }
    read_ += size;
    co_return size;
  }

  Task<void> write_all(std::string_view data) override {
    if (reset_) reset();
    if (faults_.reset_write_after && written_ + data.size() > *faults_.reset_write_after) {
      co_await inner_->write_all(
          data.substr(0, *faults_.reset_write_after - std::min(written_, *faults_.reset_write_after)));
      reset();
    }
    written_ += data.size();
    co_await inner_->write_all(data);
  }

  Task<void> close() override { return inner_->close(); }
  bool quiet() const override { return inner_->quiet(); }
  std::string peer() const override { return inner_->peer(); }

 private:
  /// A reset ends both directions, as TCP's does.
  [[noreturn]] void reset() {
    reset_ = true;
    throw Error(Code::kUnavailable, "reset by the gate");
  }

  /// How much may be read before the next fault, so that it strikes at its byte.
  std::size_t allowed(std::size_t wanted) const {
    if (faults_.slice_reads > 0) wanted = std::min(wanted, faults_.slice_reads);
    for (const auto& limit : {faults_.reset_read_after, faults_.stall_read_after, faults_.close_read_after}) {
      if (limit && *limit > read_) wanted = std::min<std::uint64_t>(wanted, *limit - read_);
    }
    return wanted;
  }

  StreamPtr inner_;
  Faults faults_;
  std::uint64_t read_ = 0;
  std::uint64_t written_ = 0;
  bool reset_ = false;
  async::WaitList stalled_;
};

class FaultyConnector final : public Connector {
 public:
  FaultyConnector(ConnectorPtr inner, std::vector<Faults> by_connection)
      : inner_(std::move(inner)), by_connection_(std::move(by_connection)) {}

  Task<StreamPtr> connect(Endpoint to) override {
    const auto number = count_++;
    auto stream = co_await inner_->connect(std::move(to));
    if (number < by_connection_.size()) co_return faulty(std::move(stream), by_connection_[number]);
    co_return stream;
  }

 private:
  ConnectorPtr inner_;
  std::vector<Faults> by_connection_;
  std::size_t count_ = 0;
};

}  // namespace

StreamPtr faulty(StreamPtr stream, Faults faults) { return std::make_unique<FaultyStream>(std::move(stream), faults); }

ConnectorPtr faulty_connector(ConnectorPtr inner, std::vector<Faults> by_connection) {
  return std::make_shared<FaultyConnector>(std::move(inner), std::move(by_connection));
}

}  // namespace mtc::net::testing
