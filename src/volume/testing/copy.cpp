#include "volume/testing/copy.hpp"

#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"

namespace mtc::volume::testing {
namespace {

Task<void> send_side(SendOptions options, std::vector<FramesPtr> lanes, Copied* into) {
  try {
    into->report = co_await send_tree(std::move(options), std::move(lanes));
  } catch (const Error& failure) {
    into->send_failure = failure.what();
  }
}

Task<void> receive_side(ReceiveOptions options, std::vector<net::StreamPtr> streams, Copied* into) {
  try {
    std::vector<Lane> lanes;
    lanes.reserve(streams.size());
    for (auto& stream : streams) lanes.push_back(co_await meet(std::move(stream), options.welcome));
    auto received = co_await receive_tree(std::move(options), std::move(lanes));
    into->received = std::move(received.report);
  } catch (const Error& failure) {
    into->receive_failure = failure.what();
  }
}

}  // namespace

Copied copy(std::string from, std::string to, Wishes wishes, std::optional<net::testing::Faults> faults, unsigned lanes,
            Compression compression, ReceiveOptions receive) {
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
  sides.push_back(send_side({std::move(from), wishes, compression}, std::move(ours), &copied));
  receive.root = std::move(to);
  sides.push_back(receive_side(std::move(receive), std::move(theirs), &copied));
  async::Runtime runtime(3);
  runtime.run(async::all(std::move(sides)));
  return copied;
}

}  // namespace mtc::volume::testing
