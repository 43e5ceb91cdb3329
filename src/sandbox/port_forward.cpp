#include "sandbox/port_forward.hpp"

#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "kube/port_forward.hpp"
#include "net/connect.hpp"
#include "net/splice.hpp"
#include "sandbox/failure.hpp"

namespace mtc::sandbox {
namespace {

std::uint16_t port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc{} || end != text.data() + text.size() || port == 0)
    throw Failure(400, "BadRequest", fmt::format("ports: \"{}\" is not one port", text));
  return port;
}

/// The port's own stream, or why there is none.
Task<net::StreamPtr> dial(Json pod, std::uint16_t port, std::string* refusal) {
  try {
    const auto ip = string_at(pod, "status.podIP");
    if (string_at(pod, "status.phase") != "Running" || !ip.starts_with("127.")) {
      *refusal = fmt::format("pod {} runs no process", string_at(pod, "metadata.name"));
      co_return nullptr;
    }
    co_return co_await net::tcp_connector()->connect({ip, port});
  } catch (const Error& error) {
    *refusal = fmt::format("error forwarding port {}: {}", port, error.what());
  }
  co_return nullptr;
}

}  // namespace

Task<void> serve_port_forward(Json pod, http::ServerRequest& request, http::ResponseWriter& writer) {
  const auto port = port_of(request.param("ports"));
  auto socket = co_await http::accept_websocket(&request, &writer, {kube::kPortForwardProtocol});
  std::string refusal;
  const auto to = co_await dial(std::move(pod), port, &refusal);
  if (!to) co_return co_await kube::refuse_forward(std::move(socket), port, refusal);
  const auto from = co_await kube::serve_forward(std::move(socket), port);
  try {
    co_await net::splice(from.get(), to.get());
  } catch (const Error&) {
    co_return;  // One of them has gone without a word; the other hears the same, as both are closed.
  }
  co_await to->close();
  co_await from->close();
}

}  // namespace mtc::sandbox
