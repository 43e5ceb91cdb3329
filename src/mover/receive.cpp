#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "mover/mover.hpp"
#include "volume/channel.hpp"

namespace mtc::mover {
namespace {

constexpr auto kGreeting = std::chrono::seconds(15);
constexpr std::size_t kWaiting = 64;     ///< connections whose session is not complete
constexpr std::size_t kGreetings = 200;  ///< connections that have not said who they are

using Arrivals = volume::Channel<volume::Lane>;
using Lanes = std::vector<volume::Lane>;

Task<volume::Lane> greet(const net::TlsServer* tls, volume::Welcome welcome, net::StreamPtr transport) {
  auto accepted = co_await tls->handshake(std::move(transport));
  co_return co_await volume::meet(std::move(accepted.stream), welcome);
}

Task<void> welcome(const net::TlsServer* tls, volume::Welcome with, net::StreamPtr transport, Arrivals* arrivals) {
  const auto from = transport->peer();
  auto lane = co_await async::with_timeout(kGreeting, "greet " + from, greet(tls, with, std::move(transport)));
  co_await arrivals->push(std::move(lane));
}

Task<void> accept_all(net::Listener* listener, const net::TlsServer* tls, volume::Welcome with, async::Scope* scope,
                      Arrivals* arrivals) {
  for (;;) {
    auto transport = co_await listener->accept();
    if (scope->running() > kGreetings) continue;  // Hangs up: somebody floods us; the sender tries again.
    scope->spawn_isolated(welcome(tls, with, std::move(transport), arrivals), [](const std::exception_ptr&) {
      // A stranger, or a sender that broke off before it said anything: nothing has begun.
    });
  }
}

/// The sender's sessions, each when all of its lanes are there.
class Sessions {
 public:
  explicit Sessions(Arrivals* arrivals) : arrivals_(arrivals) {}

  Task<void> next(Lanes* into) {
    for (;;) {
      auto lane = co_await arrivals_->pop();
      const auto id = lane->hello.session;
      auto& lanes = waiting_[id];
      lanes.push_back(std::move(*lane));
      if (lanes.size() == lanes.front().hello.lanes) {
        *into = std::move(lanes);
        waiting_.clear();  // What came before is of sessions that broke.
        count_ = 0;
        co_return;
      }
      if (++count_ < kWaiting) continue;
      waiting_.clear();
      count_ = 0;
    }
  }

 private:
  Arrivals* arrivals_;
  std::map<std::string, Lanes> waiting_;
  std::size_t count_ = 0;
};

/// How a session went: a report, or the network broke it and a person may know why.
struct Ending {
  std::optional<volume::Received> received;
  std::string broken;
};

Task<void> run_session(const ReceiveOptions* options, Lanes lanes, async::Scope* race, Ending* into) {
  options->say("the sender is here");
  try {
    volume::ReceiveOptions run{.root = options->root,
                               .welcome = {.verify = options->verify},
                               .allow_losses = options->allow_losses,
                               .silence = options->silence,
                               .progress = options->progress};
    if (options->device) {
      into->received = co_await volume::receive_device(std::move(run), std::move(lanes));
    } else {
      into->received = co_await volume::receive_tree(std::move(run), std::move(lanes));
    }
  } catch (const Error& error) {
    const bool network =
        error.code() == Code::kUnavailable || error.code() == Code::kTimeout || error.code() == Code::kTls;
    if (!network) throw;
    into->broken = error.what();
  }
  race->cancel();
}

Task<void> wait_for_next(Sessions* sessions, Lanes* next, async::Scope* race) {
  co_await sessions->next(next);
  race->cancel();  // The sender has given the running session up; so do we, and go on with this one.
}

/// Runs one session; if the sender comes with another one meanwhile, that is in `next` afterwards.
Task<Ending> run_until_next(const ReceiveOptions* options, Sessions* sessions, Lanes lanes, Lanes* next) {
  Ending ending;
  auto race = co_await async::Scope::create();
  race.spawn(run_session(options, std::move(lanes), &race, &ending));
  race.spawn(wait_for_next(sessions, next, &race));
  co_await race.join();
  co_return ending;
}

Task<volume::Report> serve(const ReceiveOptions* options, Arrivals* arrivals) {
  Sessions sessions(arrivals);
  std::optional<volume::Report> unheard;  ///< the end, of which the sender may not know
  Lanes lanes;
  for (;;) {
    if (lanes.empty()) {
      try {
        const auto patience = unheard ? options->linger : options->patience;
        co_await async::with_timeout(patience, "wait for the sender", sessions.next(&lanes));
      } catch (const Error&) {
        if (!unheard) throw;
        co_return std::move(*unheard);
      }
    }
    const bool again = lanes.front().hello.again;
    Lanes next;
    auto ending = co_await run_until_next(options, &sessions, std::exchange(lanes, {}), &next);
    lanes = std::move(next);
    if (!ending.received) {
      options->say("the sender may come again: " +
                   (ending.broken.empty() ? "it has made new connections" : ending.broken));
      continue;
    }
    if (again && ending.received->report.unsettled() > 0) continue;
    if (ending.received->acknowledged) co_return std::move(ending.received->report);
    unheard = std::move(ending.received->report);
  }
}

}  // namespace

Task<volume::Report> receive(ReceiveOptions options, net::Listener* listener) {
  const net::TlsServer tls({.cert_pem = options.identity.certificate.cert_pem,
                            .key_pem = options.identity.certificate.key_pem,
                            .client_ca_pem = options.identity.ca_pem,
                            .client_name = kSenderName,
                            .minimum = net::TlsVersion::k13});
  Arrivals arrivals(kWaiting);
  auto scope = co_await async::Scope::create();
  scope.spawn_isolated(accept_all(listener, &tls, {.verify = options.verify}, &scope, &arrivals),
                       [](const std::exception_ptr&) {
                         // Ends by cancellation only.
                       });
  volume::Report report;
  std::exception_ptr failure;
  try {
    report = co_await serve(&options, &arrivals);
  } catch (...) {  // Cancellation too: the connections are closed before it goes on.
    failure = std::current_exception();
  }
  co_await scope.cancel_and_join();
  if (failure) std::rethrow_exception(failure);
  co_return report;
}

}  // namespace mtc::mover
