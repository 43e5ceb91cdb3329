#include "http/testing/test_server.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "async/scope.hpp"
#include "base/error.hpp"

namespace mtc::http::testing {

Task<void> with_server(Handler handler, std::function<Task<void>(Url)> use, ServerOptions options) {
  auto listener = co_await net::listen_tcp({"127.0.0.1", 0});
  const auto* scheme = options.tls ? "https" : "http";
  const auto url = Url::parse(std::string(scheme) + "://" + net::text_of(listener->local()));
  Server server(std::move(listener), std::move(options), std::move(handler));
  auto scope = co_await async::Scope::create();
  scope.spawn(server.run());
  std::exception_ptr failure;
  try {
    co_await use(url);
  } catch (...) {  // The server ends first.
    failure = std::current_exception();
  }
  co_await scope.cancel_and_join();
  if (failure) std::rethrow_exception(failure);
}

ClientOptions client_of(const Url& url) {
  ClientOptions options;
  options.origin = url;
  return options;
}

Task<net::StreamPtr> ScriptedPeer::connect(net::Endpoint to) {
  if (far_ends_.size() >= scripts_.size()) {
    throw Error(Code::kUnavailable, "connect to " + net::text_of(to) + ": no script for it");
  }
  const auto& script = scripts_[far_ends_.size()];
  constexpr std::size_t kRoomForQuestions = 1024 * 1024;
  auto [near, far] = net::make_pipe(std::max(script.says.size(), kRoomForQuestions));
  co_await far->write_all(script.says);
  if (script.then == Then::kClose) co_await far->close();
  far_ends_.push_back(std::move(far));
  co_return std::move(near);
}

Task<std::string> ScriptedPeer::heard(std::size_t number) {
  std::array<char, 4096> buffer{};
  std::string all;
  auto& end = *far_ends_.at(number);
  while (!end.quiet()) {
    const auto size = co_await end.read_some(buffer);
    if (size == 0) break;
    all.append(buffer.data(), size);
  }
  co_return all;
}

}  // namespace mtc::http::testing
