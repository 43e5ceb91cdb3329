#include "mover/run.hpp"

#include <fcntl.h>
#include <functional>
#include <malloc.h>
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

/// Buffers of some MiB come and go all the time, made by one thread and freed by another: what is freed is kept, or the
/// kernel gives it, and clears it, anew each time; and kept once for all threads. glibc takes no larger first bound.
void keep_freed_memory() {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 128 * 1024 * 1024);
}

using Move = std::function<Task<Outcome>()>;

/// Runs `move`, and beside it prints and keeps to the budget; then `outcome` says how it ended.
Task<void> move_and_report(Reporter* reporter, Move move, Task<void> keep_to_budget, std::optional<Outcome>* outcome) {
  auto beside = co_await async::Scope::create();
  beside.spawn(reporter->run());
  beside.spawn(std::move(keep_to_budget));
  std::exception_ptr stopped;
  try {
    outcome->emplace(co_await move());
  } catch (const Error& failure) {
    outcome->emplace(outcome_of(failure));
  } catch (const std::exception& failure) {
    stopped = std::current_exception();
    if (!async::is_cancellation(stopped)) {  // No memory, say: whoever reads the last line shall know.
      stopped = nullptr;
      outcome->emplace(outcome_of(Error(Code::kInternal, failure.what())));
    }
  }
  co_await beside.cancel_and_join();
  reporter->print();
  if (stopped) std::rethrow_exception(stopped);
}

/// Lets the budget be, where nobody gave one.
Task<void> follow(Reporter* reporter, Budget budget, std::string file) {
  if (file.empty()) co_return;
  co_await follow_budget(std::move(budget), std::move(file),
                         [reporter](const std::string& message) { reporter->say(message); });
}

int run(const volume::Progress& progress, Reporter& reporter, Move move, Task<void> keep_to_budget,
        const Telling& telling) {
  keep_freed_memory();
  async::Runtime runtime(kThreads);
  std::optional<Outcome> outcome;
  auto work = move_and_report(&reporter, std::move(move), std::move(keep_to_budget), &outcome);
  if (!runtime.run_until_signal(std::move(work)) || !outcome) {
    outcome.emplace();
    outcome->message = "stopped by a signal";
    outcome->retry = true;
  }
  return tell_end(*outcome, progress, telling);
}

Task<Outcome> connect_and_send(SendOptions options, std::string identity, std::optional<net::Endpoint> listen) {
  options.identity = load_identity(identity);
  std::unique_ptr<net::Listener> listener;
  if (listen) listener = co_await net::listen_tcp(*listen);
  options.relayed = listener.get();
  auto connector = net::tcp_connector(options.dial);
  co_return outcome_of(co_await send(std::move(options), std::move(connector)));
}

Task<Outcome> listen_and_receive(ReceiveOptions options, std::string identity, net::Endpoint at) {
  options.identity = load_identity(identity);
  const auto listener = co_await net::listen_tcp(std::move(at));
  options.say("listens at " + net::text_of(listener->local()));
  co_return outcome_of(co_await receive(std::move(options), listener.get()));
}

Task<Outcome> open_and_back_up(restic::BackupOptions options, std::string folder, Budget budget) {
  options.reads = budget.reads.get();
  const auto result = co_await back_up(load_repository(folder, budget.bytes), std::move(options));
  co_return outcome_of(result);
}

Task<Outcome> open_and_restore(restic::RestoreOptions options, std::string folder, net::PacePtr bytes, Say say) {
  auto repository = load_repository(folder, std::move(bytes));
  co_return outcome_of(co_await restore(std::move(repository), std::move(options), std::move(say)));
}

Task<Outcome> open_and_prune(restic::Keep keep, std::string folder, Say say) {
  co_return outcome_of(co_await prune(load_repository(folder, nullptr), std::move(keep), std::move(say)));
}

}  // namespace

net::Endpoint forwarded(net::Endpoint at) {
  const bool six = at.host.contains(':');
  if (!at.host.starts_with("127.") && at.host != "::1") at.host = six ? "::" : "0.0.0.0";
  return at;
}

int run_send(SendOptions options, const std::string& identity, std::optional<net::Endpoint> listen,
             const std::string& budget, const Telling& telling) {
  volume::Progress progress;
  Reporter reporter(&progress, telling.out);
  options.progress = &progress;
  options.say = [&reporter](const std::string& message) { reporter.say(message); };
  options.take = [&reporter](const std::string& way, const std::vector<std::string>& failed) {
    reporter.take(way, failed);
  };
  auto move = [&] { return connect_and_send(options, identity, listen); };
  return run(progress, reporter, move, follow(&reporter, options.budget, budget), telling);
}

int run_receive(ReceiveOptions options, const std::string& identity, net::Endpoint listen, const Telling& telling) {
  volume::Progress progress;
  Reporter reporter(&progress, telling.out);
  options.progress = &progress;
  options.say = [&reporter](const std::string& message) { reporter.say(message); };
  auto move = [&] { return listen_and_receive(options, identity, listen); };
  return run(progress, reporter, move, follow(&reporter, {}, ""), telling);
}

int run_backup(restic::BackupOptions options, const std::string& repository, const std::string& budget,
               const Telling& telling) {
  const Budget shared;
  volume::Progress progress;
  Reporter reporter(&progress, telling.out);
  options.progress = &progress;
  options.say = [&reporter](const std::string& message) { reporter.say(message); };
  auto move = [&] { return open_and_back_up(options, repository, shared); };
  return run(progress, reporter, move, follow(&reporter, shared, budget), telling);
}

int run_restore(restic::RestoreOptions options, const std::string& repository, const std::string& budget,
                const Telling& telling) {
  const Budget shared;
  volume::Progress progress;
  Reporter reporter(&progress, telling.out);
  options.progress = &progress;
  auto say = [&reporter](const std::string& message) { reporter.say(message); };
  auto move = [&] { return open_and_restore(options, repository, shared.bytes, say); };
  return run(progress, reporter, move, follow(&reporter, shared, budget), telling);
}

int run_prune(const restic::Keep& keep, const std::string& repository, const Telling& telling) {
  const volume::Progress progress;
  Reporter reporter(&progress, telling.out);
  auto say = [&reporter](const std::string& message) { reporter.say(message); };
  auto move = [&] { return open_and_prune(keep, repository, say); };
  return run(progress, reporter, move, follow(&reporter, {}, ""), telling);
}

}  // namespace mtc::mover
