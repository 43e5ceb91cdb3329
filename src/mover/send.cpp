#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "mover/mover.hpp"

namespace mtc::mover {
namespace {

constexpr unsigned kFruitless = 4;  ///< connections in a row

/// What went wrong with one address, or one run.
struct Failure {
  Code code = Code::kInternal;
  std::string what;
  explicit Failure(const Error& error) : code(error.code()), what(error.what()) {}
};

/// An address of the receiver; none: by a relay.
using Way = std::optional<net::Endpoint>;

std::string name_of(const Way& way) { return way ? net::text_of(*way) : "relay"; }

/// How the receiver was reached, and why not by the ways before.
struct Reached {
  Way way;
  net::StreamPtr stream;
  std::vector<std::string> failed;
};

/// One sender, its passes and its tries.
struct Sending {
  SendOptions options;
  net::ConnectorPtr connector;
  net::TlsClient tls;
  volume::Progress own_progress;
  volume::Progress* progress = nullptr;
  std::vector<std::string> reasons;  ///< that were said last
};

net::TlsClientOptions tls_options(const Identity& identity) {
  net::TlsClientOptions tls;
  tls.ca_pem = identity.ca_pem;
  tls.cert_pem = identity.certificate.cert_pem;
  tls.key_pem = identity.certificate.key_pem;
  tls.peer_name = kReceiverName;
  tls.minimum = net::TlsVersion::k13;
  return tls;
}

/// The next connection that a relay makes to us. Those that it gave up before we came for them are passed over.
Task<net::StreamPtr> take_relayed(net::Listener* listener) {
  for (;;) {
    auto stream = co_await listener->accept();
    if (stream->quiet()) co_return stream;
  }
}

Task<net::StreamPtr> dial(Sending* sending, Way way) {
  if (!way) {
    auto transport = net::paced(co_await take_relayed(sending->options.relayed), sending->options.budget.bytes);
    co_return co_await sending->tls.handshake(std::move(transport), kReceiverName);
  }
  auto transport = net::paced(co_await sending->connector->connect(*way), sending->options.budget.bytes);
  co_return co_await sending->tls.handshake(std::move(transport), way->host);
}

Task<net::StreamPtr> dial_within(Sending* sending, Way way) {
  const auto what = way ? "connect to " + net::text_of(*way)
                        : "wait for a relay at " + net::text_of(sending->options.relayed->local());
  return async::with_timeout(sending->options.dial, what, dial(sending, std::move(way)));
}

Task<void> try_way(Sending* sending, Way way, std::optional<Reached>* into, std::vector<Failure>* failures) {
  try {
    auto stream = co_await dial_within(sending, way);
    into->emplace(way, std::move(stream));
  } catch (const Error& error) {
    failures->emplace_back(error);
  }
}

std::vector<std::string> reasons_of(const std::vector<Failure>& failures) {
  std::vector<std::string> out;
  out.reserve(failures.size());
  for (const auto& failure : failures) out.push_back(failure.what);
  return out;
}

/// The first address that answers as the receiver does.
Task<Reached> reach(Sending* sending) {
  std::optional<Reached> reached;
  std::vector<Failure> failures;
  std::vector<Way> ways(sending->options.to.begin(), sending->options.to.end());
  if (sending->options.relayed != nullptr) ways.emplace_back();
  for (const auto& way : ways) {
    if (!way) sending->options.take(name_of(way), reasons_of(failures));  // whoever reads it makes the relay
    co_await try_way(sending, way, &reached, &failures);
    if (reached) break;
  }
  const auto reasons = reasons_of(failures);
  if (std::exchange(sending->reasons, reasons) != reasons) {
    for (const auto& reason : reasons) sending->options.say(reason);
  }
  if (reached) {
    reached->failed = reasons;
    co_return std::move(*reached);
  }
  const bool strangers = std::ranges::all_of(failures, [](const Failure& each) { return each.code == Code::kTls; });
  throw Error(strangers ? Code::kTls : Code::kUnavailable,
              fmt::format("the receiver answers at none of its addresses: {}", fmt::join(reasons, "; ")));
}

Task<void> open_lane(Sending* sending, Way way, volume::FramesPtr* into) {
  auto stream = co_await dial_within(sending, std::move(way));
  *into = std::make_unique<volume::Frames>(std::move(stream));
}

Task<volume::Report> run_once(Sending* sending, bool again) {
  const auto& options = sending->options;
  auto reached = co_await reach(sending);
  std::vector<volume::FramesPtr> lanes(options.lanes);
  lanes.front() = std::make_unique<volume::Frames>(std::move(reached.stream));
  std::vector<Task<void>> opening;
  for (auto& lane : lanes) {
    if (!lane) opening.push_back(open_lane(sending, reached.way, &lane));
  }
  co_await async::all(std::move(opening));
  options.take(name_of(reached.way), reached.failed);
  options.say(reached.way ? "connected to " + net::text_of(*reached.way) : "connected by a relay");
  volume::SendOptions run{.root = options.root,
                          .wishes = options.wishes,
                          .compression = options.compression,
                          .again = again,
                          .silence = options.silence,
                          .reads = options.budget.reads.get(),
                          .progress = sending->progress};
  if (options.device) co_return co_await volume::send_device(std::move(run), std::move(lanes));
  co_return co_await volume::send_tree(std::move(run), std::move(lanes));
}

/// Whether another try may help. Once the receiver has welcomed us, a fault of TLS is one of the network.
bool may_pass(const Failure& failure, bool met) {
  return failure.code == Code::kUnavailable || failure.code == Code::kTimeout || (failure.code == Code::kTls && met);
}

/// Runs until one run came through. The network has `patience` to give a connection, and connections that break without
/// having moved anything count too.
Task<volume::Report> run_through(Sending* sending, bool again) {
  const auto& options = sending->options;
  auto moved = sending->progress->moved.load();
  auto since = std::chrono::steady_clock::now();
  unsigned fruitless = 0;
  for (unsigned attempt = 1;; ++attempt) {
    sending->progress->stage = volume::Stage::kConnecting;
    std::optional<Failure> broken;
    try {
      co_return co_await run_once(sending, again);
    } catch (const Error& error) {
      broken.emplace(error);
      const bool met = sending->progress->stage != volume::Stage::kConnecting;
      if (!may_pass(*broken, met)) throw;
      if (met) {
        const auto before = std::exchange(moved, sending->progress->moved.load());
        fruitless = moved == before ? fruitless + 1 : 0;
        since = std::chrono::steady_clock::now();
        attempt = 1;
      }
      if (std::chrono::steady_clock::now() - since >= options.patience || fruitless >= kFruitless) throw;
      if (met) options.say("the connection broke, and is made again: " + broken->what);
    }
    co_await async::sleep_for(options.backoff.delay(attempt, system_rng()));
  }
}

/// The receiver need not wait for a sender that gives up. Whether it hears that changes nothing here.
Task<void> tell_receiver(Sending* sending, const Failure* failure) {
  try {
    auto reached = co_await reach(sending);
    co_await volume::give_up(std::make_unique<volume::Frames>(std::move(reached.stream)), failure->code, failure->what);
  } catch (const Error&) {
    // It has gone itself, perhaps for the same reason.
  }
}

Task<volume::Report> run_passes(Sending* sending) {
  for (unsigned pass = 1;; ++pass) {
    const bool again = pass < sending->options.passes;
    auto report = co_await run_through(sending, again);
    if (report.unsettled() == 0 || !again) co_return report;
    sending->options.say(
        fmt::format("{} names changed while they were read: once more over the tree", report.unsettled()));
  }
}

}  // namespace

Task<volume::Report> send(SendOptions options, net::ConnectorPtr connector) {
  if (options.lanes == 0 || options.passes == 0 || (options.to.empty() && options.relayed == nullptr)) {
    throw Error(Code::kInvalid, "a sender needs an address, a connection and a pass");
  }
  auto tls = net::TlsClient(tls_options(options.identity));
  Sending sending{.options = std::move(options), .connector = std::move(connector), .tls = std::move(tls)};
  sending.progress = sending.options.progress != nullptr ? sending.options.progress : &sending.own_progress;
  std::optional<Failure> failure;
  std::exception_ptr thrown;
  try {
    co_return co_await run_passes(&sending);
  } catch (const Error& error) {
    failure.emplace(error);
    thrown = std::current_exception();
  }
  const bool met = sending.progress->stage != volume::Stage::kConnecting;
  if (met && !may_pass(*failure, met)) co_await tell_receiver(&sending, &*failure);
  std::rethrow_exception(thrown);
}

}  // namespace mtc::mover
