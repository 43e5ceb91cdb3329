#include "migrate/volumes/relays.hpp"

#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "kube/port_forward.hpp"
#include "kube/testing/served.hpp"
#include "net/splice.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::migrate::volumes {
namespace {

using namespace std::chrono_literals;
using net::testing::run;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kOwner = "openshift-migration/d";

/// An API server whose pods' ports are those of listeners of the test. It has no others, and may forbid all.
struct Pods {
  std::map<std::string, net::Endpoint> ports;
  bool forbidden = false;

  Task<void> handle(http::ServerRequest& request, http::ResponseWriter& writer) {
    const auto path = request.path.substr(0, request.path.rfind('/'));
    const auto name = path.substr(path.rfind('/') + 1);
    if (forbidden) {
      co_return co_await writer.respond(
          {403,
           "",
           {},
           R"({"kind":"Status","reason":"Forbidden","message":"cannot get resource \"pods/portforward\""})"});
    }
    const auto at = ports.find(name);
    if (at == ports.end())
      co_return co_await writer.respond({404, "", {}, R"({"kind":"Status","message":"pods not found"})"});
    const auto to = co_await net::tcp_connector()->connect(at->second);
    auto socket = co_await http::accept_websocket(&request, &writer, {kube::kPortForwardProtocol});
    const auto from = co_await kube::serve_forward(std::move(socket), 6443);
    co_await net::splice(from.get(), to.get());
    co_await from->close();
  }
};

/// Two clusters, a pod that sends and one that receives.
struct World {
  Pods west, east;
  kube::ClientPtr source, destination;
  std::unique_ptr<net::Listener> sender, receiver;
  std::unique_ptr<OwnedRelays> relays;

  RelayEnds ends(const char* name = "sender") const {
    return {source, destination, {"shop", name}, {"shop", "receiver"}};
  }

  /// Asks for the relay until `wanted` holds of its failure, as passes do.
  Task<std::optional<Error>> until(std::function<bool(const std::optional<Error>&)> wanted) {
    for (int i = 0; i < 2000; ++i) {
      auto failure = relays->ensure(kOwner, ends());
      if (wanted(failure)) co_return failure;
      co_await async::sleep_for(5ms);
    }
    ADD_FAILURE() << "it never came to that";
    co_return std::nullopt;
  }
};

Task<void> set_up(World* world, std::function<Task<void>(World*)> use) {
  world->sender = co_await net::listen_tcp({"127.0.0.1", 0});
  world->receiver = co_await net::listen_tcp({"127.0.0.1", 0});
  world->west.ports["sender"] = world->sender->local();
  world->east.ports["receiver"] = world->receiver->local();
  world->relays = co_await make_relays(&system_rng());
  std::exception_ptr failure;
  try {
    co_await use(world);
  } catch (...) {  // Whatever it is: the relays end first.
    failure = std::current_exception();
  }
  co_await world->relays->stop();
  // None of it outlives the run.
  world->relays.reset();
  world->sender.reset();
  world->receiver.reset();
  world->source.reset();
  world->destination.reset();
  if (failure) std::rethrow_exception(failure);
}

Task<void> with_destination(World* world, kube::ClientPtr source, std::function<Task<void>(World*)> use) {
  world->source = source;
  co_await kube::testing::with_server(&world->east, {}, [world, use](kube::ClientPtr client) {
    world->destination = client;
    return set_up(world, use);
  });
}

void in_a_world(std::function<Task<void>(World*)> use) {
  World world;
  run(kube::testing::with_server(
      &world.west, {}, [&world, use](kube::ClientPtr client) { return with_destination(&world, client, use); }));
}

Task<std::string> four_bytes(net::Stream* from) {
  std::string got(4, '\0');
  for (std::size_t at = 0; at < got.size();) {
    const auto size = co_await from->read_some(std::span(got).subspan(at));
    if (size == 0) break;
    at += size;
  }
  co_return got;
}

/// Says "ping" at the sender, and hears what the receiver sends back.
Task<net::StreamPtr> speak(World* world) {
  auto caller = co_await world->sender->accept();
  co_await caller->write_all("ping");
  const auto called = co_await world->receiver->accept();
  co_await called->write_all(co_await four_bytes(called.get()));
  EXPECT_EQ(co_await four_bytes(caller.get()), "ping");
  co_return caller;
}

TEST(Relays, JoinTwoPodsThroughTheirApiServers) {
  in_a_world([](World* world) -> Task<void> {
    EXPECT_FALSE(world->relays->ensure(kOwner, world->ends()));
    co_await speak(world);
    EXPECT_FALSE(world->relays->ensure(kOwner, world->ends())) << "nothing failed";
    co_await speak(world);
  });
}

TEST(Relays, BeginAgainAndTellWhyTheyFailed) {
  in_a_world([](World* world) -> Task<void> {
    const auto sender = world->west.ports.extract("sender");
    const auto failure = co_await world->until([](const auto& found) { return found.has_value(); });
    EXPECT_EQ(failure->code(), Code::kNotFound);
    EXPECT_THAT(failure->what(), AllOf(HasSubstr("relay from the sender"), HasSubstr("port 6443 of pod shop/sender")));
    world->west.ports["sender"] = sender.mapped();
    auto asking = co_await async::Scope::create();
    asking.spawn([](World* w) -> Task<void> { co_await w->until([](const auto& found) { return !found; }); }(world));
    co_await speak(world);
    co_await asking.join();
  });
}

TEST(Relays, NameThePermissionThatTheyLack) {
  in_a_world([](World* world) -> Task<void> {
    world->east.forbidden = true;
    EXPECT_FALSE(world->relays->ensure(kOwner, world->ends()));
    const auto caller = co_await world->sender->accept();
    co_await caller->write_all("ping");
    const auto failure = co_await world->until([](const auto& found) { return found.has_value(); });
    EXPECT_EQ(failure->code(), Code::kForbidden);
    EXPECT_THAT(failure->what(), AllOf(HasSubstr("relay to the receiver"), HasSubstr("pod shop/receiver"),
                                       HasSubstr("pods/portforward")));
  });
}

TEST(Relays, EndWithWhatTheyAreFor) {
  in_a_world([](World* world) -> Task<void> {
    world->relays->ensure(kOwner, world->ends());
    const auto stream = co_await speak(world);
    world->relays->keep("openshift-migration/other", {});
    world->relays->keep(kOwner, {{"shop", "sender"}});
    co_await stream->write_all("more");
    co_await speak(world);
    world->relays->keep(kOwner, {});
    char byte = 0;
    EXPECT_EQ(co_await stream->read_some({&byte, 1}), 0U);
  });
}

}  // namespace
}  // namespace mtc::migrate::volumes
