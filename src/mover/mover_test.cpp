#include "mover/mover.hpp"

#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/rng.hpp"
#include "mover/run.hpp"
#include "net/relay.hpp"
#include "net/testing/fault_gate.hpp"
#include "net/testing/outcome.hpp"
#include "volume/testing/random_tree.hpp"

namespace mtc::mover {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using volume::testing::describe;
using volume::testing::Folder;

Identity identity(const net::Certificate& ca, const std::string& name) {
  return {ca.cert_pem, net::issue_certificate(ca, "mover", {name}, {}, system_clock().now())};
}

/// Both ends of a move, and what became of them.
struct Move {
  net::Certificate ca = net::make_ca("authority", system_clock().now());
  SendOptions send;
  ReceiveOptions receive;
  volume::Progress progress;
  std::vector<std::string> said;
  net::ConnectorPtr connector = net::tcp_connector(5s);
  /// Runs before the sender, with the receiver's address.
  std::function<Task<void>(Move*, net::Endpoint)> first;
  std::unique_ptr<net::Listener> silent;  ///< a host that does not answer
  std::vector<net::StreamPtr> strangers;
  std::vector<std::string> heard;  ///< by strangers

  volume::Report sent;
  volume::Report received;
  std::string send_failure;
  std::string receive_failure;

  Move(const std::string& from, const std::string& to) {
    send.root = from;
    send.identity = identity(ca, kSenderName);
    send.backoff = {10ms, 20ms};
    send.patience = 2s;
    send.progress = &progress;
    send.say = [this](const std::string& message) { said.push_back(message); };
    receive.root = to;
    receive.identity = identity(ca, kReceiverName);
    receive.linger = 200ms;
    receive.patience = 30s;  // A sender that gave up must not keep a test for an hour.
  }

  static Task<void> run_sender(Move* move) { move->sent = co_await mover::send(move->send, move->connector); }
  static Task<void> run_receiver(Move* move, net::Listener* listener) {
    move->received = co_await mover::receive(move->receive, listener);
  }
  static Task<void> failing(Task<void> task, std::string* into) {
    *into = co_await net::testing::failure_of(std::move(task));
  }
  static Task<void> send_side(Move* move, net::Endpoint at) {
    if (move->first) co_await move->first(move, at);
    co_await failing(run_sender(move), &move->send_failure);
  }
  static Task<void> both(Move* move) {
    const auto listener = co_await net::listen_tcp({"127.0.0.1", 0});
    move->send.to.push_back(listener->local());
    std::vector<Task<void>> tasks;
    tasks.push_back(failing(run_receiver(move, listener.get()), &move->receive_failure));
    tasks.push_back(send_side(move, listener->local()));
    co_await async::all(std::move(tasks));
    move->silent.reset();
    move->strangers.clear();
  }
  void run() {
    async::Runtime runtime(4);
    runtime.run(both(this));
  }
};

TEST(Mover, MovesATreeOverMutualTls) {
  Folder folder;
  SeededRng rng(21);
  volume::testing::make_random_tree(folder / "from", rng, 20);
  Move move(folder / "from", folder / "to");
  move.receive.verify = true;
  move.run();
  EXPECT_EQ(move.send_failure, "");
  EXPECT_EQ(move.receive_failure, "");
  EXPECT_TRUE(move.sent.complete());
  EXPECT_TRUE(move.sent.verified);
  EXPECT_EQ(move.sent.destination_root, move.received.source_root);
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
  EXPECT_TRUE(move.progress.counted);
  EXPECT_EQ(move.progress.files, move.progress.files_total);
  EXPECT_EQ(move.progress.bytes, move.progress.bytes_total);
}

double seconds_of(Move& move) {
  const auto begin = std::chrono::steady_clock::now();
  move.run();
  EXPECT_EQ(move.send_failure + move.receive_failure, "");
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

TEST(Mover, KeepsToItsBudgetOfBytes) {
  const Folder folder;
  SeededRng rng(22);
  fs::create_directory(folder / "from");
  volume::testing::write_file(folder / "from/file", volume::testing::random_bytes(rng, 2'000'000));
  Move move(folder / "from", folder / "to");
  heed(move.send.budget, R"({"bytesPerSecond": 2000000})");
  EXPECT_GE(seconds_of(move), 0.8);
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Mover, KeepsToItsBudgetOfReads) {
  const Folder folder;
  fs::create_directory(folder / "from");
  for (int i = 0; i < 40; ++i) volume::testing::write_file(folder / fmt::format("from/{}", i), "x");
  Move move(folder / "from", folder / "to");
  heed(move.send.budget, R"({"iops": 40})");
  EXPECT_GE(seconds_of(move), 0.8);
}

TEST(Mover, TriesAddressesInTheirOrderAndSaysWhyOneDidNotAnswer) {
  Folder folder;
  fs::create_directory(folder / "from");
  Move move(folder / "from", folder / "to");
  move.send.dial = 300ms;
  move.first = [](Move* m, net::Endpoint) -> Task<void> {
    m->silent = co_await net::listen_tcp({"127.0.0.1", 0});
    const auto closed = co_await net::listen_tcp({"127.0.0.1", 0});
    m->send.to.insert(m->send.to.begin(), {m->silent->local(), closed->local()});
  };
  move.run();
  EXPECT_EQ(move.send_failure, "");
  EXPECT_THAT(move.said, Contains(AllOf(HasSubstr(net::text_of(move.send.to[0])), HasSubstr("no answer within"))));
  EXPECT_THAT(move.said, Contains(AllOf(HasSubstr(net::text_of(move.send.to[1])), HasSubstr("refused"))));
  EXPECT_THAT(move.said, Contains("connected to " + net::text_of(move.send.to[2])));
}

/// What relays: connects to the sender and to the receiver, as the controller does by two API servers.
Task<void> run_relay(Move* move, net::Endpoint receiver, net::Endpoint sender) {
  const auto connector = move->connector;
  co_await net::relay({.caller = [connector, sender] { return connector->connect(sender); },
                       .called = [connector, receiver] { return connector->connect(receiver); }});
}

Task<void> send_relayed(Move* move) {
  const auto receiving = co_await net::listen_tcp({"127.0.0.1", 0});
  const auto closed = co_await net::listen_tcp({"127.0.0.1", 0});
  move->send.to.push_back(closed->local());
  closed->close();
  auto sending = co_await net::listen_tcp({"127.0.0.1", 0});
  move->send.relayed = sending.get();
  auto relaying = co_await async::Scope::create();
  relaying.spawn_isolated(run_relay(move, receiving->local(), sending->local()), [](const std::exception_ptr&) {});
  std::vector<Task<void>> tasks;
  tasks.push_back(Move::failing(Move::run_receiver(move, receiving.get()), &move->receive_failure));
  tasks.push_back(Move::failing(Move::run_sender(move), &move->send_failure));
  co_await async::all(std::move(tasks));
  co_await relaying.cancel_and_join();
}

TEST(Mover, WaitsForARelayWhenNoAddressAnswers) {
  Folder folder;
  SeededRng rng(23);
  volume::testing::make_random_tree(folder / "from", rng, 20);
  Move move(folder / "from", folder / "to");
  std::vector<std::string> ways, failed;
  move.send.take = [&](const std::string& way, const std::vector<std::string>& why) {
    ways.push_back(way);
    failed = why;
  };
  async::Runtime runtime(4);
  runtime.run(send_relayed(&move));
  EXPECT_EQ(move.send_failure, "");
  EXPECT_EQ(move.receive_failure, "");
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
  EXPECT_THAT(move.said, Contains(HasSubstr("refused")));
  EXPECT_THAT(move.said, Contains("connected by a relay"));
  EXPECT_EQ(ways.back(), "relay");
  EXPECT_THAT(failed, ::testing::ElementsAre(HasSubstr("refused")));
}

TEST(Mover, ListensWhereAForwardedPortArrives) {
  const auto where = [](const char* host) { return net::text_of(forwarded({host, 6443})); };
  EXPECT_EQ(where("10.244.0.7"), "0.0.0.0:6443");
  EXPECT_EQ(where("fd00::7"), "[::]:6443");
  EXPECT_EQ(where("127.9.8.7"), "127.9.8.7:6443");
  EXPECT_EQ(where("::1"), "[::1]:6443");
}

TEST(Mover, GivesUpWhenNobodyAnswers) {
  Move move("/", "");
  move.send.to = {{"127.0.0.1", 1}};
  move.send.patience = 100ms;
  async::Runtime runtime(2);
  runtime.run(Move::failing(Move::run_sender(&move), &move.send_failure));
  EXPECT_THAT(move.send_failure, HasSubstr("Unavailable: the receiver answers at none of its addresses: connect to "
                                           "127.0.0.1:1: Connection refused"));
}

TEST(Mover, GoesOnWhereTheNetworkBroke) {
  Folder folder;
  SeededRng rng(22);
  fs::create_directory(folder / "from");
  volume::testing::write_file(folder / "from/large", volume::testing::random_bytes(rng, 6 << 20));
  Move move(folder / "from", folder / "to");
  move.send.lanes = 1;
  net::testing::Faults faults;
  faults.reset_write_after = 4 << 20;
  move.connector = net::testing::faulty_connector(net::tcp_connector(), {faults});
  move.receive.verify = true;
  move.run();
  EXPECT_EQ(move.send_failure, "");
  EXPECT_EQ(move.receive_failure, "");
  EXPECT_LT(move.sent.bytes, 6U << 20U);
  EXPECT_THAT(move.said, Contains(HasSubstr("the connection broke, and is made again")));
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Mover, LeavesAPeerThatFellSilent) {
  Folder folder;
  fs::create_directory(folder / "from");
  for (int i = 0; i < 2000; ++i) volume::testing::write_file(folder / fmt::format("from/{}", i), "x");
  Move move(folder / "from", folder / "to");
  move.send.lanes = 1;
  move.send.silence = 2s;  // Machines that are busy are silent for shorter times.
  net::testing::Faults faults;
  faults.stall_read_after = 6000;  // In the middle of the receiver's answers, which are some 30 kB.
  move.connector = net::testing::faulty_connector(net::tcp_connector(), {faults});
  move.run();
  EXPECT_EQ(move.send_failure, "");
  EXPECT_EQ(move.receive_failure, "");
  EXPECT_THAT(move.said, Contains(HasSubstr("heard nothing from")));
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

/// What a stranger hears that greets the receiver as a sender would.
Task<void> intrude(Move* move, net::Endpoint at, Identity as, std::string* heard) {
  SendOptions options = move->send;
  options.to = {at};
  options.identity = std::move(as);
  options.patience = 1ms;
  auto attempt = [](SendOptions how) -> Task<void> { co_await mover::send(how, net::tcp_connector()); };
  *heard = co_await net::testing::failure_of(attempt(std::move(options)));
}

TEST(Mover, StrangersGetNothingAndDisturbNobody) {
  Folder folder;
  fs::create_directory(folder / "from");
  volume::testing::write_file(folder / "from/file", "content");
  Move move(folder / "from", folder / "to");
  move.first = [](Move* m, net::Endpoint at) -> Task<void> {
    const auto other = net::make_ca("another authority", system_clock().now());
    auto nameless = m->send.identity;
    nameless.certificate = {};
    auto foreign = identity(other, kSenderName);
    foreign.ca_pem = m->ca.cert_pem;
    m->heard.resize(4);
    co_await intrude(m, at, nameless, &m->heard[0]);
    co_await intrude(m, at, foreign, &m->heard[1]);
    co_await intrude(m, at, identity(m->ca, kReceiverName), &m->heard[2]);
    co_await intrude(m, at, identity(other, kSenderName), &m->heard[3]);
    m->strangers.push_back(co_await net::tcp_connector()->connect(at));
    co_await m->strangers.back()->write_all("GET / HTTP/1.1\r\n\r\n");
    m->strangers.push_back(co_await net::tcp_connector()->connect(at));
  };
  move.run();
  EXPECT_THAT(move.heard[0], HasSubstr("certificate required"));
  EXPECT_THAT(move.heard[1], HasSubstr("unknown ca"));
  EXPECT_THAT(move.heard[2], HasSubstr("Tls"));
  EXPECT_THAT(move.heard[3], HasSubstr("certificate signed by unknown authority"));
  EXPECT_EQ(move.send_failure, "");
  EXPECT_EQ(move.receive_failure, "");
  EXPECT_TRUE(move.received.complete());
  EXPECT_EQ(describe(folder / "to"), describe(folder / "from"));
}

TEST(Mover, TheReceiverHearsWhyTheSenderGivesUp) {
  Folder folder;
  Move move(folder / "absent", folder / "to");
  move.run();
  EXPECT_THAT(move.send_failure, HasSubstr("NotFound: open directory"));
  EXPECT_THAT(move.receive_failure, AllOf(HasSubstr("NotFound"), HasSubstr("absent: No such file or directory")));
}

TEST(Mover, MovesADevice) {
  Folder folder;
  SeededRng rng(22);
  const auto content = volume::testing::random_bytes(rng, 3'000'000);
  volume::testing::write_file(folder / "from", content);
  volume::testing::write_file(folder / "to", std::string(3'500'000, 'o'));
  Move move(folder / "from", folder / "to");
  move.send.device = move.receive.device = move.receive.verify = true;
  move.send.wishes.remove_extras = true;
  move.run();
  EXPECT_EQ(move.send_failure, "");
  EXPECT_EQ(move.receive_failure, "");
  EXPECT_TRUE(move.received.complete());
  EXPECT_TRUE(move.sent.verified);
  EXPECT_EQ(move.sent.device, 3'000'000U);
  EXPECT_EQ(move.sent.beyond, 500'000U);
  EXPECT_EQ(move.progress.files, move.progress.files_total);
  EXPECT_EQ(move.progress.bytes, move.progress.bytes_total);
  EXPECT_EQ(move.progress.bytes, 3'000'000U);
}

TEST(Mover, ATreeAndADeviceDoNotMeet) {
  Folder folder;
  fs::create_directory(folder / "tree");
  volume::testing::write_file(folder / "device", std::string(4096, 'o'));
  Move tree_to_device(folder / "tree", folder / "device");
  tree_to_device.receive.device = true;
  tree_to_device.run();
  EXPECT_THAT(tree_to_device.send_failure, HasSubstr("sends a file tree, and this end is a block device"));
  EXPECT_THAT(tree_to_device.receive_failure, HasSubstr("sends a file tree, and this end is a block device"));
  Move device_to_tree(folder / "device", folder / "tree");
  device_to_tree.send.device = true;
  device_to_tree.run();
  EXPECT_THAT(device_to_tree.send_failure, HasSubstr("sends a block device, and this end is a file tree"));
  EXPECT_THAT(device_to_tree.receive_failure, HasSubstr("sends a block device, and this end is a file tree"));
  EXPECT_TRUE(fs::is_empty(folder / "tree"));
}

TEST(Mover, TheReceiverOfADeviceHearsWhyTheSenderGivesUp) {
  Folder folder;
  volume::testing::write_file(folder / "to", std::string(4096, 'o'));
  Move move(folder / "absent", folder / "to");
  move.send.device = move.receive.device = true;
  move.run();
  EXPECT_THAT(move.send_failure, HasSubstr("absent: No such file or directory"));
  EXPECT_THAT(move.receive_failure, HasSubstr("absent: No such file or directory"));
}

TEST(Mover, TheReceiverDoesNotWaitForEver) {
  Folder folder;
  Move move("", folder / "to");
  move.receive.patience = 50ms;
  async::Runtime runtime(2);
  auto body = [](Move* m) -> Task<void> {
    const auto listener = co_await net::listen_tcp({"127.0.0.1", 0});
    co_await Move::failing(Move::run_receiver(m, listener.get()), &m->receive_failure);
  };
  runtime.run(body(&move));
  EXPECT_THAT(move.receive_failure, HasSubstr("Timeout: wait for the sender"));
}

TEST(Identity, NamesTheFileThatIsMissing) {
  Folder folder;
  const auto made = identity(net::make_ca("authority", system_clock().now()), kSenderName);
  volume::testing::write_file(folder / "ca.crt", made.ca_pem);
  volume::testing::write_file(folder / "tls.crt", made.certificate.cert_pem);
  try {
    load_identity(folder.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("tls.key"));
  }
  volume::testing::write_file(folder / "tls.key", made.certificate.key_pem.reveal());
  EXPECT_EQ(load_identity(folder.path()).certificate.cert_pem, made.certificate.cert_pem);
}

}  // namespace
}  // namespace mtc::mover
