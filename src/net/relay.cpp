#include "net/relay.hpp"

#include <optional>
#include <string>
#include <utility>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "net/splice.hpp"

namespace mtc::net {
namespace {

constexpr std::size_t kFirstWords = 16 * 1024;

Task<void> join_ends(StreamPtr caller, Relay::Open called) {
  const auto other = co_await called();
  co_await splice(caller.get(), other.get());
  co_await caller->close();
  co_await other->close();
}

/// Opens a stream, which comes with the first that is said on it; null if the caller has no more use for any.
Task<void> listen_to(Relay::Open open, Duration limit, StreamPtr* into) {
  auto stream = co_await open();
  std::string words(kFirstWords, '\0');
  words.resize(co_await async::with_timeout(limit, "wait for its first words", stream->read_some(words)));
  if (!words.empty()) *into = with_prefix(std::move(words), std::move(stream));
}

/// Takes the next connection that the caller uses. False if there is none, and none is left.
Task<bool> serve_next(const Relay* between, async::Scope* pairs) {
  StreamPtr spoken;
  std::optional<Error> failure;
  try {
    co_await listen_to(between->caller, between->idle, &spoken);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) {
    if (failure->code() == Code::kTimeout) co_return pairs->running() > 0;
    throw *failure;
  }
  if (!spoken) co_return false;
  pairs->spawn_isolated(join_ends(std::move(spoken), between->called), [](const std::exception_ptr&) {
    // Both of its ends are closed with it; the caller comes again.
  });
  co_return true;
}

}  // namespace

Task<void> relay(Relay between) {
  auto pairs = co_await async::Scope::create();
  std::exception_ptr failure;
  try {
    while (co_await serve_next(&between, &pairs)) {
    }
  } catch (const Error&) {  // Of the caller: pairs that are joined already go on to their end.
    failure = std::current_exception();
  } catch (...) {  // A cancellation, which is theirs too; it goes on when they have ended.
    failure = std::current_exception();
    pairs.cancel();
  }
  co_await pairs.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mtc::net
