#include "net/splice.hpp"

#include <vector>

#include "async/scope.hpp"

namespace mtc::net {
namespace {

constexpr std::size_t kHeld = 64 * 1024;

Task<void> hand_on(Stream* from, Stream* to, async::Scope* both) {
  std::vector<char> piece(kHeld);
  for (;;) {
    const auto size = co_await from->read_some(piece);
    if (size == 0) break;
    co_await to->write_all({piece.data(), size});
  }
  both->cancel();
}

}  // namespace

Task<void> splice(Stream* one, Stream* other) {
  auto both = co_await async::Scope::create();
  both.spawn(hand_on(one, other, &both));
  both.spawn(hand_on(other, one, &both));
  co_await both.join();
}

}  // namespace mtc::net
