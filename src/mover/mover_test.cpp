#include "mover/mover.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/rng.hpp"
#include "net/testing/fault_gate.hpp"
#include "net/testing/outcome.hpp"
#include "volume/testing/random_tree.hpp"

namespace mtc::mover {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using volume::testing::describe;
using volume::testing::Folder;

Identity identity(const net::Certificate& ca) {
  const auto now = system_clock().now();
  return {ca.cert_pem, net::issue_certificate(ca, "mover", {"127.0.0.1"}, {}, now)};
}

struct Ends {
  volume::Report sent;
  volume::Report received;
  std::string failure;
};

Task<void> send_into(SendOptions options, net::ConnectorPtr connector, Ends* ends) {
  auto work = [](SendOptions how, net::ConnectorPtr over, Ends* into) -> Task<void> {
    into->sent = co_await send(how, over);
  };
  ends->failure = co_await net::testing::failure_of(work(std::move(options), std::move(connector), ends));
}

Task<void> receive_into(ReceiveOptions options, net::Listener* listener, Ends* ends) {
  ends->received = co_await receive(std::move(options), listener);
}

TEST(Mover, MovesATreeOverMutualTls) {
  Folder folder;
  SeededRng rng(21);
  volume::testing::make_random_tree(folder / "from", rng, 20);
  Ends ends;
  async::Runtime runtime(4);
  runtime.run([](std::string from, std::string to, Ends* into) -> Task<void> {
    const auto ca = net::make_ca("authority", system_clock().now());
    const auto listener = co_await net::listen_tcp({"127.0.0.1", 0});
    SendOptions options;
    options.root = from;
    options.to = listener->local();
    options.identity = identity(ca);
    options.wishes.verify = true;
    std::vector<Task<void>> both;
    both.push_back(receive_into({to, identity(ca)}, listener.get(), into));
    both.push_back(send_into(options, net::tcp_connector(), into));
    co_await async::all(std::move(both));
  }(folder / "from", folder / "to", &ends));
  EXPECT_EQ(ends.failure, "");
  EXPECT_TRUE(ends.sent.complete());
  EXPECT_EQ(ends.sent.destination_root, ends.received.source_root);
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Mover, ComesAgainAfterTheNetworkBroke) {
  Folder folder;
  SeededRng rng(22);
  fs::create_directory(folder / "from");
  volume::testing::write_file(folder / "from/large", volume::testing::random_bytes(rng, 6 << 20));
  Ends broken;
  Ends ends;
  async::Runtime runtime(4);
  runtime.run([](std::string from, std::string to, Ends* first, Ends* second) -> Task<void> {
    const auto ca = net::make_ca("authority", system_clock().now());
    const auto listener = co_await net::listen_tcp({"127.0.0.1", 0});
    SendOptions options;
    options.root = from;
    options.to = listener->local();
    options.identity = identity(ca);
    options.lanes = 1;
    auto twice = [](SendOptions how, Ends* one, Ends* other) -> Task<void> {
      net::testing::Faults faults;
      faults.reset_write_after = 4 << 20;
      co_await send_into(how, net::testing::faulty_connector(net::tcp_connector(), {faults}), one);
      co_await send_into(how, net::tcp_connector(), other);
    };
    std::vector<Task<void>> both;
    both.push_back(receive_into({to, identity(ca)}, listener.get(), second));
    both.push_back(twice(options, first, second));
    co_await async::all(std::move(both));
  }(folder / "from", folder / "to", &broken, &ends));
  EXPECT_THAT(broken.failure, HasSubstr("Unavailable"));
  EXPECT_EQ(ends.failure, "");
  EXPECT_LT(ends.sent.bytes, 6U << 20U);
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Mover, StrangersGetNothing) {
  Folder folder;
  fs::create_directory(folder / "from");
  Ends stranger;
  Ends ends;
  async::Runtime runtime(2);
  runtime.run([](std::string from, std::string to, Ends* first, Ends* second) -> Task<void> {
    const auto ca = net::make_ca("authority", system_clock().now());
    const auto listener = co_await net::listen_tcp({"127.0.0.1", 0});
    SendOptions options;
    options.root = from;
    options.to = listener->local();
    options.identity = identity(ca);
    auto nameless = options;
    nameless.identity.certificate = {};
    auto other = options;
    other.identity = identity(net::make_ca("somebody", system_clock().now()));
    auto each = [](SendOptions a, SendOptions b, SendOptions c, Ends* one, Ends* two) -> Task<void> {
      co_await send_into(a, net::tcp_connector(), one);
      EXPECT_NE(one->failure, "");
      co_await send_into(b, net::tcp_connector(), one);
      EXPECT_THAT(one->failure, HasSubstr("Tls"));
      co_await send_into(c, net::tcp_connector(), two);
    };
    std::vector<Task<void>> both;
    both.push_back(receive_into({to, identity(ca)}, listener.get(), second));
    both.push_back(each(nameless, other, options, first, second));
    co_await async::all(std::move(both));
  }(folder / "from", folder / "to", &stranger, &ends));
  EXPECT_EQ(ends.failure, "");
  EXPECT_TRUE(ends.received.complete());
}

}  // namespace
}  // namespace mtc::mover
