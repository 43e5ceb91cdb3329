#include "migrate/volumes/relays.hpp"

#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "async/retry.hpp"
#include "async/scope.hpp"
#include "migrate/volumes/copying.hpp"
#include "net/relay.hpp"

namespace mtc::migrate::volumes {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
constexpr async::Backoff kPauses{.base = std::chrono::milliseconds(500), .cap = std::chrono::seconds(5)};

/// One relay, over all the times that it began.
struct Line {
  RelayEnds ends;
  bool running = false;
  async::Event over;  ///< of the present run
  std::optional<Error> failure;
  unsigned failures = 0;  ///< in a row
  SteadyTime not_before{};
};
using LinePtr = std::shared_ptr<Line>;

Task<net::StreamPtr> connect(kube::ClientPtr cluster, kube::ObjectKey pod, const char* what) {
  std::optional<Error> failure;
  try {
    co_return co_await cluster->port_forward(pod, kPort);
  } catch (const Error& error) {
    failure = error;
  }
  throw failure->with_context(what);
}

Task<net::StreamPtr> connect_to_receiver(LinePtr line) {
  auto stream = co_await connect(line->ends.destination, line->ends.receiver, "relay to the receiver");
  line->failure.reset();
  line->failures = 0;
  co_return stream;
}

/// Carries until it breaks, or the sender has no more use for it.
Task<void> carry(LinePtr line) {
  const net::Relay between{
      .caller = [line] { return connect(line->ends.source, line->ends.sender, "relay from the sender"); },
      .called = [line] { return connect_to_receiver(line); },
      .broken =
          [line](const std::exception_ptr& why) {
            if (!async::is_cancellation(why)) line->failure = async::as_error(why);
          }};
  try {
    co_await net::relay(between);
  } catch (const Error& error) {
    line->failure = error;
    ++line->failures;
  }
  line->over.set();
}

/// Fails when it is over, so that what runs beside it is cancelled.
Task<void> until_over(LinePtr line) {
  co_await line->over.wait();
  throw Error(Code::kUnavailable, "the relay is over");
}

class BackgroundRelays final : public OwnedRelays {
 public:
  BackgroundRelays(async::Scope scope, Rng* rng) : scope_(std::move(scope)), rng_(rng) {}

  std::optional<Error> ensure(const std::string& owner, RelayEnds ends) override {
    auto& line = lines_[{owner, ends.sender}];
    if (!line) line = std::make_shared<Line>();
    if (!line->running && std::chrono::steady_clock::now() >= line->not_before) {
      line->ends = std::move(ends);  // the clusters' clients may be others than before
      line->running = true;
      line->over.reset();
      scope_.spawn_isolated(run(line, rng_), [](const std::exception_ptr&) {});
    }
    return line->failure;
  }

  void keep(const std::string& owner, const std::set<kube::ObjectKey>& senders) override {
    std::erase_if(lines_, [&](const auto& entry) {
      const auto& [key, line] = entry;
      const bool goes = key.first == owner && !senders.contains(key.second);
      if (goes) line->over.set();
      return goes;
    });
  }

  Task<void> stop() override { return scope_.cancel_and_join(); }

 private:
  static Task<void> run(LinePtr line, Rng* rng) {
    std::vector<Task<void>> both;
    both.push_back(carry(line));
    both.push_back(until_over(line));
    try {
      co_await async::all(std::move(both));
    } catch (const Error&) {
      // It always ends so.
    }
    if (line->failures > 0) line->not_before = std::chrono::steady_clock::now() + kPauses.delay(line->failures, *rng);
    line->running = false;
  }

  async::Scope scope_;
  Rng* rng_;
  std::map<std::pair<std::string, kube::ObjectKey>, LinePtr> lines_;
};

}  // namespace

Task<std::unique_ptr<OwnedRelays>> make_relays(Rng* rng) {
  co_return std::make_unique<BackgroundRelays>(co_await async::Scope::create(), rng);
}

}  // namespace mtc::migrate::volumes
