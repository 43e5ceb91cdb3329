#pragma once

#include <functional>
#include <string>

#include "async/scope.hpp"
#include "http/server.hpp"
#include "kube/client.hpp"
#include "kube/config.hpp"
#include "net/connect.hpp"

namespace mtc::kube::testing {

/// Runs `use` with a client of an API server that `imposter` plays: its handle(ServerRequest&, ResponseWriter&)
/// answers. Of `connection` all counts but the URL. The server ends with `use`, whose failure is thrown.
template <typename Double>
Task<void> with_server(Double* imposter, Connection connection, std::function<Task<void>(ClientPtr)> use) {
  auto listener = co_await net::listen_tcp({"127.0.0.1", 0});
  connection.url = "http://127.0.0.1:" + std::to_string(listener->local().port);
  http::Server server(std::move(listener), {}, [imposter](http::ServerRequest& request, http::ResponseWriter& writer) {
    return imposter->handle(request, writer);
  });
  auto scope = co_await async::Scope::create();
  scope.spawn(server.run());
  std::exception_ptr failure;
  try {
    co_await use(make_client(connection));
  } catch (...) {  // Whatever it is: the server ends first.
    failure = std::current_exception();
  }
  co_await scope.cancel_and_join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mtc::kube::testing
