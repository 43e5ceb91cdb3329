#include "volume/testing/copy.hpp"

#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"

namespace mtc::volume::testing {
namespace {

/// Which functions are the two ends.
struct Ends {
  decltype(&send_tree) send;
  decltype(&receive_tree) receive;
};

Task<void> send_side(Ends ends, SendOptions options, std::vector<FramesPtr> lanes, Copied* into) {
  try {
    into->report = co_await ends.send(std::move(options), std::move(lanes));
  } catch (const Error& failure) {
    into->send_failure = failure.what();
  }
}

Task<void> receive_side(Ends ends, ReceiveOptions options, std::vector<net::StreamPtr> streams, Copied* into) {
  try {
    std::vector<Lane> lanes;
    lanes.reserve(streams.size());
    for (auto& stream : streams) lanes.push_back(co_await meet(std::move(stream), options.welcome));
    auto received = co_await ends.receive(std::move(options), std::move(lanes));
    into->received = std::move(received.report);
  } catch (const Error& failure) {
    into->receive_failure = failure.what();
  }
}

/// Runs both ends in this process, over pipes in memory.
Copied run(Ends ends, SendOptions send, ReceiveOptions receive, std::optional<net::testing::Faults> faults,
           unsigned lanes) {
  std::vector<FramesPtr> ours;
  std::vector<net::StreamPtr> theirs;
  for (unsigned i = 0; i < lanes; ++i) {
    auto [a, b] = net::make_pipe();
    ours.push_back(std::make_unique<Frames>(std::move(a)));
    if (faults && i == 0) b = net::testing::faulty(std::move(b), *faults);
    theirs.push_back(std::move(b));
  }
  Copied copied;
  std::vector<Task<void>> sides;
  sides.push_back(send_side(ends, std::move(send), std::move(ours), &copied));
  sides.push_back(receive_side(ends, std::move(receive), std::move(theirs), &copied));
  async::Runtime runtime(3);
  runtime.run(async::all(std::move(sides)));
  return copied;
}

}  // namespace

Copied copy(std::string from, std::string to, Wishes wishes, std::optional<net::testing::Faults> faults, unsigned lanes,
            Compression compression, ReceiveOptions receive) {
  receive.root = std::move(to);
  return run({send_tree, receive_tree}, {std::move(from), wishes, compression}, std::move(receive), std::move(faults),
             lanes);
}

Copied copy_device(std::string from, std::string to, Wishes wishes, std::optional<net::testing::Faults> faults,
                   ReceiveOptions receive) {
  receive.root = std::move(to);
  return run({send_device, receive_device}, {std::move(from), wishes, Compression::kAlways}, std::move(receive),
             std::move(faults), 3);
}

}  // namespace mtc::volume::testing
