#include "mover/run.hpp"

#include <fcntl.h>
#include <functional>
#include <optional>
#include <unistd.h>
#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "volume/tree.hpp"

namespace mtc::mover {
namespace {

constexpr unsigned kThreads = 4;
constexpr std::size_t kLongestLine = 64 * 1024;
constexpr std::size_t kTerminationMessage = 4096;  ///< as much of it as a kubelet keeps

void leave_message(const std::string& file, const std::string& line) {
  if (file.empty()) return;
  const volume::Fd log(::open(file.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  // A pod without one says it all in its log.
  if (log && ::write(log.get(), line.data(), line.size()) < 0) return;
}

int tell_end(const Outcome& outcome, const volume::Progress& progress, const Telling& telling) {
  leave_message(telling.termination_log, last_line(outcome, progress, kTerminationMessage));
  telling.out(last_line(outcome, progress, kLongestLine));
  return outcome.done ? 0 : 1;
}

/// Runs `move` and prints beside it; then `outcome` says how it ended.
Task<void> move_and_report(Reporter* reporter, std::function<Task<volume::Report>()> move,
                           std::optional<Outcome>* outcome) {
  auto printing = co_await async::Scope::create();
  printing.spawn(reporter->run());
  std::exception_ptr stopped;
  try {
    const auto report = co_await move();
    outcome->emplace(outcome_of(report));
  } catch (const Error& failure) {
    outcome->emplace(outcome_of(failure));
  } catch (const std::exception& failure) {
    stopped = std::current_exception();
    if (!async::is_cancellation(stopped)) {  // No memory, say: whoever reads the last line shall know.
      stopped = nullptr;
      outcome->emplace(outcome_of(Error(Code::kInternal, failure.what())));
    }
  }
  co_await printing.cancel_and_join();
  reporter->print();
  if (stopped) std::rethrow_exception(stopped);
}

int run(const volume::Progress& progress, Reporter& reporter, std::function<Task<volume::Report>()> move,
        const Telling& telling) {
  async::Runtime runtime(kThreads);
  std::optional<Outcome> outcome;
  if (!runtime.run_until_signal(move_and_report(&reporter, std::move(move), &outcome)) || !outcome) {
    outcome.emplace();
    outcome->message = "stopped by a signal";
    outcome->retry = true;
  }
  return tell_end(*outcome, progress, telling);
}

Task<volume::Report> connect_and_send(SendOptions options, std::string identity) {
  options.identity = load_identity(identity);
  auto connector = net::tcp_connector(options.dial);
  co_return co_await send(std::move(options), std::move(connector));
}

Task<volume::Report> listen_and_receive(ReceiveOptions options, std::string identity, net::Endpoint at) {
  options.identity = load_identity(identity);
  const auto listener = co_await net::listen_tcp(std::move(at));
  options.say("listens at " + net::text_of(listener->local()));
  co_return co_await receive(std::move(options), listener.get());
}

}  // namespace

int run_send(SendOptions options, const std::string& identity, const Telling& telling) {
  volume::Progress progress;
  Reporter reporter(&progress, telling.out);
  options.progress = &progress;
  options.say = [&reporter](const std::string& message) { reporter.say(message); };
  auto move = [&] { return connect_and_send(options, identity); };
  return run(progress, reporter, move, telling);
}

int run_receive(ReceiveOptions options, const std::string& identity, net::Endpoint listen, const Telling& telling) {
  volume::Progress progress;
  Reporter reporter(&progress, telling.out);
  options.progress = &progress;
  options.say = [&reporter](const std::string& message) { reporter.say(message); };
  auto move = [&] { return listen_and_receive(options, identity, listen); };
  return run(progress, reporter, move, telling);
}

}  // namespace mtc::mover
