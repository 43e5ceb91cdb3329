#include "kube/port_forward.hpp"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "http/server.hpp"
#include "kube/testing/served.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::kube {
namespace {

using namespace std::string_literals;
using net::testing::failure_of;
using net::testing::read_to_end;
using net::testing::run;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Kind = http::WebSocket::Message::Kind;

/// An API server that speaks the protocol byte by byte, as a kubelet does: says `messages`, then hears one.
struct Node {
  std::vector<std::string> messages;
  std::string asked, heard;

  Task<void> handle(http::ServerRequest& request, http::ResponseWriter& writer) {
    asked = request.path + "?" + http::encode_query(request.query);
    if (messages.empty())
      co_return co_await writer.respond({404, "", {}, R"({"kind":"Status","message":"pods \"p\" not found"})"});
    const auto socket = co_await http::accept_websocket(&request, &writer, {"v4.channel.k8s.io"});
    for (const auto& message : messages) co_await socket->send(Kind::kBinary, message);
    if (const auto answer = co_await socket->receive()) heard = answer->data;
    co_await socket->close();
  }
};

Task<void> with_node(Node* node, std::function<Task<void>(ClientPtr)> use) {
  co_await testing::with_server(node, {}, std::move(use));
}

Task<void> talk(ClientPtr client) {
  const auto stream = co_await client->port_forward({"shop", "p"}, 6443);
  co_await stream->write_all("question");
  EXPECT_EQ(co_await read_to_end(stream.get()), "answer, whole");
}

Task<void> listen_only(ClientPtr client) {
  const auto stream = co_await client->port_forward({"shop", "p"}, 6443);
  co_await read_to_end(stream.get());
}

TEST(PortForward, CarriesDataBothWays) {
  Node node{.messages = {"\0\x2B\x19"s, "\1\x2B\x19"s, "\0answer, "s, ""s, "\0"s, "\0whole"s}};
  run(with_node(&node, talk));
  EXPECT_EQ(node.asked, "/api/v1/namespaces/shop/pods/p/portforward?ports=6443");
  EXPECT_EQ(node.heard, "\0question"s);
}

TEST(PortForward, WhatTheNodeSaysIsTheFailure) {
  Node node{.messages = {"\0\x2B\x19"s, "\1\x2B\x19"s, "\1connection refused"s}};
  run(with_node(&node, [](ClientPtr client) -> Task<void> {
    EXPECT_THAT(co_await failure_of(listen_only(client)),
                AllOf(HasSubstr("Unavailable: connect to port 6443 of pod shop/p"), HasSubstr("connection refused")));
  }));
}

TEST(PortForward, AnAbsentPodIsNotFound) {
  Node node;
  run(with_node(&node, [](ClientPtr client) -> Task<void> {
    EXPECT_THAT(co_await failure_of(listen_only(client)), HasSubstr("NotFound: connect to port 6443 of pod shop/p"));
  }));
}

TEST(PortForward, OtherPortsAndChannelsAreRefused) {
  EXPECT_THROW(PortForwardReader(6443).take("\0\x2C\x19"s), Error);
  EXPECT_THROW(PortForwardReader(6443).take("\0data"s), Error);
  EXPECT_THROW(PortForwardReader(6443).take("\2\x2B\x19"s), Error);
  PortForwardReader reader(0xFF80);
  EXPECT_EQ(reader.take("\0\x80\xFF"s), "");
  EXPECT_EQ(reader.take("\0data"s), "data");
}

}  // namespace
}  // namespace mtc::kube
