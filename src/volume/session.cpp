#include "volume/session.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"

namespace mtc::volume {
namespace {

constexpr auto kGreeting = std::chrono::seconds(30);
constexpr auto kFarewell = std::chrono::seconds(5);

std::string new_session() {
  std::string id;
  while (id.size() < 16) id += Writer().u64(system_rng().next()).bytes();
  return id;
}

Task<void> greet(Frames* frames, Hello hello, Welcome* welcome) {
  auto talk = [](Frames* with, Hello says, Welcome* into) -> Task<void> {
    co_await with->write(Kind::kHello, encode(says));
    *into = decode_welcome(co_await with->expect(Kind::kWelcome));
  };
  co_await async::with_timeout(kGreeting, "greet " + frames->peer(), talk(frames, std::move(hello), welcome));
}

/// Tells the sender why, and waits until it hangs up: what we send must not be lost in a reset.
Task<void> say_why(Frames* frames, Code code, std::string message) {
  co_await frames->write(Kind::kFailure, encode_failure(code, message));
  for (;;) co_await frames->read();
}

}  // namespace

Task<void> write_outgoing(Conversation* with) {
  while (auto frame = co_await with->outgoing.pop()) co_await with->frames->write(std::move(*frame));
}

Task<void> read_until_done(Frames* frames, Channel<Frame>* into) {
  for (;;) {
    auto frame = co_await frames->read();
    const bool last = frame.kind == Kind::kLaneDone;
    co_await into->push(std::move(frame));
    if (last) co_return;
  }
}

Task<void> read_answers(Conversation* with) {
  for (;;) {
    auto frame = co_await with->frames->read();
    const bool last = frame.kind == Kind::kLaneDone;
    auto& stream = frame.kind == Kind::kHashes ? with->hashes : with->answers;
    co_await stream.push(std::move(frame));
    if (last) co_return;
  }
}

Task<std::string> answer(Conversation* with, Kind kind) {
  auto frame = co_await (kind == Kind::kHashes ? with->hashes : with->answers).pop();
  if (!frame || frame->kind != kind) throw Error(Code::kCorrupt, "the receiver answered out of turn");
  unpack(*frame);
  co_return std::move(frame->payload);
}

Task<Welcome> greet_all(const std::vector<FramesPtr>* lanes, Hello hello) {
  hello.session = new_session();
  hello.lanes = static_cast<std::uint32_t>(lanes->size());
  std::vector<Welcome> welcomes(hello.lanes);
  std::vector<Task<void>> tasks;
  tasks.reserve(hello.lanes);
  for (hello.lane = 0; hello.lane < hello.lanes; ++hello.lane) {
    tasks.push_back(greet((*lanes)[hello.lane].get(), hello, &welcomes[hello.lane]));
  }
  co_await async::all(std::move(tasks));
  co_return welcomes.front();
}

Receiving::Receiving(ReceiveOptions with, std::vector<Lane> of_session)
    : options(std::move(with)), lanes(std::move(of_session)) {
  if (lanes.empty()) throw Error(Code::kInvalid, "a volume needs at least one connection");
  std::ranges::sort(lanes, {}, [](const Lane& lane) { return lane.hello.lane; });
}

Task<Received> receive(Receiving* run, Task<void> work) {
  std::vector<Frames*> all;
  all.reserve(run->lanes.size());
  for (const auto& lane : run->lanes) all.push_back(lane.frames.get());
  co_await attended(std::move(all), run->options.silence, std::move(work));
  for (const auto& lane : run->lanes) co_await lane.frames->close();
  co_return std::move(run->received);
}

void out_of_turn() { throw Error(Code::kCorrupt, "the sender sent a message out of turn"); }

Task<void> give_up(FramesPtr lane, Code code, std::string why) {
  Welcome welcome;
  Hello hello;
  hello.session = new_session();
  co_await greet(lane.get(), std::move(hello), &welcome);
  co_await lane->write(Kind::kFailure, encode_failure(code, why));
  co_await lane->close();
}

Task<void> telling(Frames* frames, Task<void> work) {
  std::exception_ptr failure;
  std::optional<std::pair<Code, std::string>> why;
  try {
    co_await std::move(work);
  } catch (const Error& error) {
    failure = std::current_exception();
    why = {error.code(), error.what()};
  }
  if (!why) co_return;
  try {
    co_await async::with_timeout(kFarewell, "say why", say_why(frames, why->first, why->second));
  } catch (const Error&) {
    // The sender has gone, as it should.
  }
  std::rethrow_exception(failure);
}

Task<bool> part(Frames* frames) {
  try {
    co_await async::with_timeout(kFarewell, "part", frames->expect(Kind::kLaneDone));
    co_return true;
  } catch (const Error&) {
    co_return false;
  }
}

Task<Lane> meet(net::StreamPtr stream, Welcome welcome) {
  Lane lane;
  lane.frames = std::make_unique<Frames>(std::move(stream));
  lane.hello = decode_hello(co_await lane.frames->expect(Kind::kHello));
  co_await lane.frames->write(Kind::kWelcome, encode(welcome));
  co_return lane;
}

}  // namespace mtc::volume
