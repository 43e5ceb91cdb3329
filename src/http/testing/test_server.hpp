#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/client.hpp"
#include "http/server.hpp"

namespace mtc::http::testing {

/// Serves `handler` on a free port of the loopback while `use` runs with the server's URL; then ends the server and
/// rethrows what `use` threw. With `options.tls` the URL is https.
Task<void> with_server(Handler handler, std::function<Task<void>(Url)> use, ServerOptions options = {});

/// Options of a client for `url`.
ClientOptions client_of(const Url& url);

/// A peer that says the same thing to each connection, whatever it is asked, and notes what it was sent. The n-th
/// connection gets the n-th script; connections beyond are refused.
class ScriptedPeer final : public net::Connector {
 public:
  enum class Then { kClose, kStay };
  struct Script {
    std::string says;
    Then then = Then::kStay;
  };
  explicit ScriptedPeer(std::vector<Script> scripts) : scripts_(std::move(scripts)) {}

  Task<net::StreamPtr> connect(net::Endpoint to) override;

  std::size_t connections() const { return far_ends_.size(); }
  /// What connection `number` has sent so far.
  Task<std::string> heard(std::size_t number);
  /// The peer's end of connection `number`.
  net::Stream& far_end(std::size_t number) { return *far_ends_.at(number); }

 private:
  std::vector<Script> scripts_;
  std::vector<net::StreamPtr> far_ends_;
};

}  // namespace mtc::http::testing
