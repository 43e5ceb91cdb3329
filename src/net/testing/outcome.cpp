#include "net/testing/outcome.hpp"

#include <array>
#include <exception>
#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"

namespace mtc::net::testing {
namespace {

Task<void> note_end(Task<void> task, bool* cancelled) {
  std::exception_ptr end;
  try {
    co_await std::move(task);
  } catch (...) {
    end = std::current_exception();
  }
  *cancelled = async::is_cancellation(end);
  if (end && !*cancelled) std::rethrow_exception(end);
}

}  // namespace

void run(Task<void> body) { async::Runtime().run(std::move(body)); }

Task<std::string> failure_of(Task<void> task) {
  std::string text;
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    text = std::string(to_string(error.code())) + ": " + error.what();
  }
  co_return text;
}

Task<bool> ends_when_cancelled(Task<void> task) {
  bool cancelled = false;
  auto scope = co_await async::Scope::create();
  scope.spawn(note_end(std::move(task), &cancelled));
  // Long enough for the task to reach its wait over loopback; a task that is cancelled earlier proves less, but no
  // wrong.
  for (int turn = 0; turn < 100; ++turn) co_await async::yield();
  co_await scope.cancel_and_join();
  co_return cancelled;
}

Task<std::string> read_to_end(Stream* from) {
  std::string all;
  std::array<char, 4096> buffer{};
  while (const auto size = co_await from->read_some(buffer)) all.append(buffer.data(), size);
  co_return all;
}

Task<void> echo(StreamPtr stream) {
  std::array<char, 4096> buffer{};
  while (const auto size = co_await stream->read_some(buffer)) co_await stream->write_all({buffer.data(), size});
  co_await stream->close();
}

}  // namespace mtc::net::testing
