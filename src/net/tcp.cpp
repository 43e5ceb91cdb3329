#include <charconv>
#include <memory>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "net/connect.hpp"

namespace mtc::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::string text_of(const tcp::endpoint& at) { return text_of(Endpoint{at.address().to_string(), at.port()}); }

/// A cancellation goes up as it is; everything else is the network's fault.
[[noreturn]] void fail(const error_code& failure, std::string_view doing) {
  if (failure == asio::error::operation_aborted) throw boost::system::system_error(failure);
  throw Error(Code::kUnavailable, fmt::format("{}: {}", doing, failure.message()));
}

class TcpStream final : public Stream {
 public:
  explicit TcpStream(tcp::socket socket) : socket_(std::move(socket)) {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    keep_alive();
    peer_ = text_of(socket_.remote_endpoint(ignored));
  }

  Task<std::size_t> read_some(std::span<char> into) override {
    co_await async::throw_if_cancelled();
    error_code failure;
    const auto size = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()),
                                                       asio::redirect_error(asio::use_awaitable, failure));
    if (failure == asio::error::eof) co_return 0;
    if (failure) fail(failure, "read from " + peer_);
    co_return size;
  }

  Task<void> write_all(std::string_view data) override {
    co_await async::throw_if_cancelled();
    error_code failure;
    co_await asio::async_write(socket_, asio::buffer(data.data(), data.size()),
                               asio::redirect_error(asio::use_awaitable, failure));
    if (failure) fail(failure, "write to " + peer_);
  }

  Task<void> close() override {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    co_return;
  }

  bool quiet() const override {
    pollfd asked{const_cast<tcp::socket&>(socket_).native_handle(), POLLIN | POLLRDHUP, 0};
    return ::poll(&asked, 1, 0) == 0;
  }

  std::string peer() const override { return peer_; }

 private:
  /// Finds out within a minute that a peer vanished without a word: a watch waits for hours without sending anything.
  void keep_alive() {
    using Idle = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
    using Interval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
    using Count = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
    error_code ignored;
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    socket_.set_option(Idle(30), ignored);
    socket_.set_option(Interval(10), ignored);
    socket_.set_option(Count(3), ignored);
  }

  tcp::socket socket_;
  std::string peer_;
};

/// A look-up in the resolver's thread. It cannot be interrupted there, so a cancelled task leaves it behind.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& on) : resolver(on) {}
  tcp::resolver resolver;
  tcp::resolver::results_type found;
  error_code failure;
  async::Event done;
};

Task<std::vector<tcp::endpoint>> resolve(Endpoint at) {
  error_code no_address;
  const auto address = asio::ip::make_address(at.host, no_address);
  if (!no_address) co_return std::vector{tcp::endpoint(address, at.port)};

  auto lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor);
  lookup->resolver.async_resolve(at.host, std::to_string(at.port),
                                 [lookup](const error_code& failure, tcp::resolver::results_type found) {
                                   lookup->failure = failure;
                                   lookup->found = std::move(found);
                                   lookup->done.set();
                                 });
  co_await lookup->done.wait();
  if (lookup->failure == asio::error::host_not_found || lookup->failure == asio::error::no_data) {
    throw Error(Code::kNotFound, fmt::format("host name {} is unknown: {}", at.host, lookup->failure.message()));
  }
  if (lookup->failure) {
    throw Error(Code::kUnavailable, fmt::format("look up host name {}: {}", at.host, lookup->failure.message()));
  }
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : lookup->found) endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

Task<StreamPtr> connect_tcp(Endpoint to) {
  co_await async::throw_if_cancelled();
  const auto endpoints = co_await resolve(to);
  tcp::socket socket(co_await asio::this_coro::executor);
  error_code failure;
  co_await asio::async_connect(socket, endpoints, asio::redirect_error(asio::use_awaitable, failure));
  if (failure) fail(failure, "connect to " + text_of(to));
  co_return std::make_unique<TcpStream>(std::move(socket));
}

class TcpConnector final : public Connector {
 public:
  explicit TcpConnector(Duration limit) : limit_(limit) {}
  Task<StreamPtr> connect(Endpoint to) override {
    return async::with_timeout(limit_, "connect to " + text_of(to), connect_tcp(to));
  }

 private:
  Duration limit_;
};

class TcpListener final : public Listener {
 public:
  explicit TcpListener(tcp::acceptor acceptor) : acceptor_(std::move(acceptor)) {
    const auto at = acceptor_.local_endpoint();
    local_ = {at.address().to_string(), at.port()};
  }

  Task<StreamPtr> accept() override {
    for (;;) {
      co_await async::throw_if_cancelled();
      error_code failure;
      auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failure));
      if (!failure) co_return std::make_unique<TcpStream>(std::move(socket));
      if (failure == asio::error::operation_aborted || !acceptor_.is_open()) {
        throw boost::system::system_error(asio::error::operation_aborted);
      }
      // Out of file descriptors, or a peer that left while it waited: the next one may be served.
      co_await async::sleep_for(std::chrono::milliseconds(10));
    }
  }

  Endpoint local() const override { return local_; }

  void close() override {
    error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  tcp::acceptor acceptor_;
  Endpoint local_;
};

}  // namespace

std::string text_of(const Endpoint& at) {
  return at.host.contains(':') ? fmt::format("[{}]:{}", at.host, at.port) : fmt::format("{}:{}", at.host, at.port);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto digits = text.substr(colon + 1);
  auto host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || digits.empty() || host.contains(':') != bracketed) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failed != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return Endpoint{std::string(host), port};
}

ConnectorPtr tcp_connector(Duration limit) { return std::make_shared<TcpConnector>(limit); }

Task<std::unique_ptr<Listener>> listen_tcp(Endpoint at) {
  const auto executor = co_await asio::this_coro::executor;
  error_code failure;
  const auto address = asio::ip::make_address(at.host, failure);
  if (failure) throw Error(Code::kInvalid, fmt::format("listen on {}: not an IP address", at.host));
  tcp::acceptor acceptor(executor);
  const tcp::endpoint endpoint(address, at.port);
  acceptor.open(endpoint.protocol(), failure);
  if (!failure) acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
  if (!failure) acceptor.bind(endpoint, failure);
  if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
  if (failure) {
    throw Error(Code::kUnavailable, fmt::format("listen on {}: {}", text_of(at), failure.message()));
  }
  co_return std::make_unique<TcpListener>(std::move(acceptor));
}

}  // namespace mtc::net
