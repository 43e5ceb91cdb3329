#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "async/scope.hpp"
#include "http/client.hpp"
#include "http/testing/test_server.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::http {
namespace {

using net::testing::run;

constexpr std::uint64_t kGibibyte = 1ull << 30;

enum class Wire { kPlain, kTls };

/// A server's options and a client's that trusts it.
struct Peers {
  ServerOptions server;
  std::shared_ptr<net::TlsClient> client;
};
Peers make_peers(Wire wire) {
  Peers peers;
  if (wire == Wire::kPlain) return peers;
  const auto now = system_clock().now();
  const auto ca = net::make_ca("bench", now);
  const auto certificate = net::issue_certificate(ca, "server", {"127.0.0.1"}, {}, now);
  peers.server.tls = net::TlsServerOptions{certificate.cert_pem, certificate.key_pem, ""};
  peers.client = std::make_shared<net::TlsClient>(net::TlsClientOptions{.ca_pem = ca.cert_pem});
  return peers;
}

Client client_for(const Url& url, const Peers& peers) {
  auto options = testing::client_of(url);
  options.tls = peers.client;
  return Client(options);
}

Task<void> swallow(ServerRequest& request, ResponseWriter& writer) {
  while (!(co_await request.read_body()).empty()) {
  }
  co_await writer.respond({200, "", {}, "{}"});
}

Task<void> get_often(Client client, int times) {
  for (int i = 0; i < times; ++i) co_await client.send({"GET", "/api/v1/namespaces/shop/pods/web", {}, "", nullptr});
}

/// Small requests, `range(0)` clients at once.
void small_gets(benchmark::State& state, Wire wire) {
  constexpr int kEach = 200;
  const auto peers = make_peers(wire);
  const auto width = static_cast<int>(state.range(0));
  auto use = [&](Url url) {
    auto body = [](benchmark::State* s, Client client, int count) -> Task<void> {
      for (auto _ : *s) {
        auto scope = co_await async::Scope::create();
        for (int i = 0; i < count; ++i) scope.spawn(get_often(client, kEach));
        co_await scope.join();
      }
    };
    return body(&state, client_for(url, peers), width);
  };
  run(testing::with_server(swallow, use, peers.server));
  state.SetItemsProcessed(state.iterations() * width * kEach);
}

class Zeros final : public BodySource {
 public:
  explicit Zeros(std::uint64_t size) : size_(size), left_(size) {}
  Task<std::string_view> next() override {
    const auto size = std::min<std::uint64_t>(left_, piece_.size());
    left_ -= size;
    co_return std::string_view(piece_).substr(0, size);
  }
  void rewind() override { left_ = size_; }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::string piece_ = std::string(256 * 1024, '\0');
  std::uint64_t size_;
  std::uint64_t left_;
};

/// One streamed upload of a gibibyte.
void put_gibibyte(benchmark::State& state, Wire wire) {
  const auto peers = make_peers(wire);
  auto use = [&](Url url) {
    auto body = [](benchmark::State* s, Client client) -> Task<void> {
      for (auto _ : *s) co_await client.send({"PUT", "/bucket/key", {}, "", std::make_shared<Zeros>(kGibibyte)});
    };
    return body(&state, client_for(url, peers));
  };
  run(testing::with_server(swallow, use, peers.server));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kGibibyte));
}

BENCHMARK_CAPTURE(small_gets, plain, Wire::kPlain)->Arg(1)->Arg(50)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(small_gets, tls, Wire::kTls)->Arg(1)->Arg(50)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(put_gibibyte, plain, Wire::kPlain)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(put_gibibyte, tls, Wire::kTls)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mtc::http
