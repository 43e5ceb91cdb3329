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

/// Waits until something is said on the stream, and gives it back with that; null if it closes instead.
Task<StreamPtr> spoken_on(StreamPtr stream, Duration limit) {
  std::string words(kFirstWords, '\0');
  words.resize(co_await async::with_timeout(limit, "wait for its first words", stream->read_some(words)));
  if (words.empty()) co_return nullptr;
  co_return with_prefix(std::move(words), std::move(stream));
}

/// Takes the next connection that the caller uses. False if there is none, and none is left.
Task<bool> serve_next(const Relay* between, async::Scope* pairs) {
  auto opened = co_await between->caller();  // no answer here is a failure, and not that it is not used
  StreamPtr spoken;
  std::optional<Error> failure;
  try {
    spoken = co_await spoken_on(std::move(opened), between->idle);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) {
    if (failure->code() == Code::kTimeout) co_return pairs->running() > 0;
    throw *failure;
  }
  if (!spoken) co_return false;
  // Both ends of a pair that breaks are closed with it; the caller comes again.
  pairs->spawn_isolated(join_ends(std::move(spoken), between->called), between->broken);
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
