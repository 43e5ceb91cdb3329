#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "base/strings.hpp"
#include "net/connect.hpp"

namespace mtc::net {
namespace {

namespace ip = boost::asio::ip;
constexpr std::size_t kMaxAnswer = 16 * 1024;

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

/// golang.org/x/net/http/httpproxy: localhost and loopback never take a proxy.
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
  proxy.at.host = text.substr(0, colon);
  const auto port = colon == std::string_view::npos ? 80 : std::atoi(std::string(text.substr(colon + 1)).c_str());
  if (proxy.at.host.empty() || port <= 0 || port > 65535)
    throw Error(Code::kInvalid, "the proxy's URL has no host or no usable port");
  proxy.at.port = static_cast<std::uint16_t>(port);
  return proxy;
}

class ProxyConnector final : public Connector {
 public:
  ProxyConnector(ProxySettings settings, ConnectorPtr direct)
      : settings_(std::move(settings)), direct_(std::move(direct)) {}

  Task<StreamPtr> connect(Endpoint to) override {
    if (settings_.url.empty() || exempt(settings_.no_proxy, to)) co_return co_await direct_->connect(std::move(to));
    const auto proxy = parse_proxy(settings_.url);
    auto stream = co_await direct_->connect(proxy.at);
    const auto target =
        to.host.contains(':') ? fmt::format("[{}]:{}", to.host, to.port) : fmt::format("{}:{}", to.host, to.port);
    const auto authorization =
        proxy.authorization.empty() ? "" : fmt::format("Proxy-Authorization: {}\r\n", proxy.authorization.reveal());
    co_await stream->write_all(fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n{1}\r\n", target, authorization));
    // Byte by byte: what follows the head already belongs to the tunnel.
    std::string head;
    std::array<char, 1> byte{};
    while (!head.ends_with("\r\n\r\n")) {
      if (head.size() > kMaxAnswer || co_await stream->read_some(byte) == 0) {
        throw Error(Code::kUnavailable,
                    fmt::format("proxy {}:{} gives no answer to CONNECT {}", proxy.at.host, proxy.at.port, target));
      }
      head += byte[0];
    }
    if (!head.starts_with("HTTP/1.1 200") && !head.starts_with("HTTP/1.0 200")) {
      throw Error(Code::kUnavailable, fmt::format("proxy {}:{} refuses CONNECT {}: {}", proxy.at.host, proxy.at.port,
                                                  target, head.substr(0, head.find('\r'))));
    }
    co_return stream;
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
