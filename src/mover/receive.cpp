#include <map>
#include <utility>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "mover/mover.hpp"
#include "volume/channel.hpp"

namespace mtc::mover {
namespace {

constexpr auto kGreeting = std::chrono::seconds(30);
constexpr std::size_t kWaiting = 64;  ///< connections whose session is not complete

using Arrivals = volume::Channel<volume::Lane>;

Task<volume::Lane> greet(const net::TlsServer* tls, net::StreamPtr transport) {
  auto accepted = co_await tls->handshake(std::move(transport));
  if (accepted.peer.common_name.empty()) throw Error(Code::kTls, "the sender presented no certificate");
  co_return co_await volume::meet(std::move(accepted.stream));
}

Task<void> welcome(const net::TlsServer* tls, net::StreamPtr transport, Arrivals* arrivals) {
  const auto from = transport->peer();
  co_await arrivals->push(co_await async::with_timeout(kGreeting, "greet " + from, greet(tls, std::move(transport))));
}

Task<void> accept_all(net::Listener* listener, const net::TlsServer* tls, async::Scope* scope, Arrivals* arrivals) {
  for (;;) {
    auto transport = co_await listener->accept();
    scope->spawn_isolated(welcome(tls, std::move(transport), arrivals), [](const std::exception_ptr&) {
      // A stranger, or a sender that broke off before it said anything: nothing has begun.
    });
  }
}

/// The lanes of the next session that is complete.
Task<std::vector<volume::Lane>> next_session(Arrivals* arrivals) {
  std::map<std::string, std::vector<volume::Lane>> waiting;
  for (std::size_t count = 0;;) {
    auto lane = co_await arrivals->pop();
    const auto id = lane->hello.session;
    auto& lanes = waiting[id];
    lanes.push_back(std::move(*lane));
    if (lanes.size() == lanes.front().hello.lanes) co_return std::move(lanes);
    if (++count < kWaiting) continue;
    waiting.clear();  // Of senders that never came whole.
    count = 0;
  }
}

Task<volume::Report> serve(const ReceiveOptions* options, Arrivals* arrivals) {
  for (;;) {
    auto lanes = co_await next_session(arrivals);
    const bool again = lanes.front().hello.again;
    try {
      auto report = co_await volume::receive_tree(options->root, std::move(lanes));
      if (report.changed_count == 0 || !again) co_return report;
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable) throw;
      // The network: the sender comes again.
    }
  }
}

}  // namespace

Task<volume::Report> receive(ReceiveOptions options, net::Listener* listener) {
  const net::TlsServer tls(
      {options.identity.certificate.cert_pem, options.identity.certificate.key_pem, options.identity.ca_pem});
  Arrivals arrivals(kWaiting);
  auto scope = co_await async::Scope::create();
  scope.spawn_isolated(accept_all(listener, &tls, &scope, &arrivals), [](const std::exception_ptr&) {
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
