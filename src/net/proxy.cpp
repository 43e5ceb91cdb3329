#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "base/strings.hpp"
#include "net/connect.hpp"

namespace mtc::net {
namespace {

namespace ip = boost::asio::ip;
constexpr std::size_t kMaxAnswer = 16 * 1024;
constexpr auto kTunnelLimit = std::chrono::seconds(30);  ///< the proxy connects to the target meanwhile

std::string variable(const char* upper, const char* lower) {
  for (const auto* name : {upper, lower}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  }
  return "";
}

bool in_network(const std::string& host, const std::string& block) {
  boost::system::error_code no;
  const auto address = ip::make_address(host, no);
  if (no) return false;
  if (address.is_v4()) {
    const auto network = ip::make_network_v4(block, no);
    if (no) return false;
    return ip::make_network_v4(address.to_v4(), network.prefix_length()).canonical() == network.canonical();
  }
  const auto network = ip::make_network_v6(block, no);
  if (no) return false;
  return ip::make_network_v6(address.to_v6(), network.prefix_length()).canonical() == network.canonical();
}

/// As golang.org/x/net/http/httpproxy decides: localhost and loopback never take a proxy, "example.com" stands for its
/// subdomains too, ".example.com" and "*.example.com" for them alone.
bool exempt(const std::string& no_proxy, const Endpoint& to) {
  boost::system::error_code no;
  const auto address = ip::make_address(to.host, no);
  if (to.host == "localhost" || (!no && address.is_loopback())) return true;
  for (const auto& raw : split(no_proxy, ',')) {
    auto entry = to_lower(trim(raw));
    if (entry.empty()) continue;
    if (entry == "*") return true;
    if (entry.contains('/') && in_network(to.host, entry)) return true;
    if (const auto colon = entry.rfind(':'); colon != std::string::npos && entry.find(':') == colon) {
      if (entry.substr(colon + 1) != std::to_string(to.port)) continue;
      entry.resize(colon);
    }
    const auto suffix = entry.starts_with("*.") ? entry.substr(1) : entry.starts_with('.') ? entry : "." + entry;
    if (to.host == entry || to.host.ends_with(suffix)) return true;
  }
  return false;
}

struct Proxy {
  Endpoint at;
  Secret authorization;
};

Proxy parse_proxy(const std::string& url) {
  std::string_view text = url;
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    if (text.substr(0, scheme) != "http") throw Error(Code::kInvalid, "the proxy's URL must begin with http://");
    text.remove_prefix(scheme + 3);
  }
  Proxy proxy;
  if (const auto user = text.rfind('@'); user != std::string_view::npos) {
    const auto plain = percent_decode(text.substr(0, user));
    if (plain) proxy.authorization = Secret("Basic " + base64_encode(*plain));
    text.remove_prefix(user + 1);
  }
  text = text.substr(0, text.find('/'));
  const auto colon = text.rfind(':');
  proxy.at = {std::string(text.substr(0, colon)), 80};
  if (proxy.at.host.starts_with('[') && proxy.at.host.ends_with(']')) {
    proxy.at.host = proxy.at.host.substr(1, proxy.at.host.size() - 2);
  }
  if (proxy.at.host.empty()) throw Error(Code::kInvalid, "the proxy's URL has no host");
  if (colon != std::string_view::npos) {
    const auto port = text.substr(colon + 1);
    const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), proxy.at.port);
    if (failed != std::errc{} || end != port.data() + port.size() || proxy.at.port == 0) {
      throw Error(Code::kInvalid, "the port in the proxy's URL is not 1 to 65535");
    }
  }
  return proxy;
}

/// Asks for a tunnel (RFC 9110 §9.3.6). Refusals name the proxy, which the caller did not ask for.
Task<StreamPtr> open_tunnel(StreamPtr stream, Proxy proxy, std::string target) {
  const auto authorization =
      proxy.authorization.empty() ? "" : fmt::format("Proxy-Authorization: {}\r\n", proxy.authorization.reveal());
  const auto request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n{1}\r\n", target, authorization);
  co_await stream->write_all(request);

  std::string answer;
  std::array<char, 1024> buffer{};
  auto end = std::string::npos;
  while (end == std::string::npos) {
    const auto size = co_await stream->read_some(buffer);
    if (size == 0 || answer.size() > kMaxAnswer) {
      throw Error(Code::kUnavailable, fmt::format("proxy {} gives no answer to CONNECT {}", text_of(proxy.at), target));
    }
    answer.append(buffer.data(), size);
    end = answer.find("\r\n\r\n");
  }
  if (!answer.starts_with("HTTP/1.1 2") && !answer.starts_with("HTTP/1.0 2")) {
    throw Error(Code::kUnavailable, fmt::format("proxy {} refuses CONNECT {}: {}", text_of(proxy.at), target,
                                                answer.substr(0, answer.find('\r'))));
  }
  co_return with_prefix(answer.substr(end + 4), std::move(stream));
}

class ProxyConnector final : public Connector {
 public:
  ProxyConnector(ProxySettings settings, ConnectorPtr direct)
      : settings_(std::move(settings)), direct_(std::move(direct)) {}

  Task<StreamPtr> connect(Endpoint to) override {
    if (settings_.url.empty() || exempt(settings_.no_proxy, to)) co_return co_await direct_->connect(std::move(to));
    const auto proxy = parse_proxy(settings_.url);
    auto stream = co_await direct_->connect(proxy.at);
    const auto doing = fmt::format("connect to {} through proxy {}", text_of(to), text_of(proxy.at));
    co_return co_await async::with_timeout(kTunnelLimit, doing, open_tunnel(std::move(stream), proxy, text_of(to)));
  }

 private:
  ProxySettings settings_;
  ConnectorPtr direct_;
};

}  // namespace

ProxySettings proxy_from_environment() {
  return {variable("HTTPS_PROXY", "https_proxy"), variable("NO_PROXY", "no_proxy")};
}

ConnectorPtr proxy_connector(ProxySettings settings, ConnectorPtr direct) {
  return std::make_shared<ProxyConnector>(std::move(settings), std::move(direct));
}

}  // namespace mtc::net
