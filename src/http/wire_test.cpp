#include "http/wire.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "net/testing/fault_gate.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::http {
namespace {

using net::testing::failure_of;
using net::testing::run;
using ::testing::HasSubstr;

RequestHead request(const std::string& fields, const std::string& line = "GET / HTTP/1.1") {
  return parse_request_head(line + "\r\nHost: a\r\n" + fields + "\r\n", {});
}

ResponseHead response(int status, Headers headers) { return {status, "", std::move(headers)}; }

TEST(RequestHead, IsReadInParts) {
  const auto head = parse_request_head("PUT /a?b HTTP/1.0\r\nHost: x\r\nEmpty:\r\nPadded: \t v w \r\n\r\n", {});
  EXPECT_EQ(head.method, "PUT");
  EXPECT_EQ(head.target, "/a?b");
  EXPECT_EQ(head.minor_version, 0);
  EXPECT_EQ(head.headers.get("padded"), "v w");
  EXPECT_TRUE(head.headers.has("empty"));
}

TEST(RequestHead, UnderstandsTheFormThatProxiesAreSent) {
  EXPECT_EQ(request("", "GET http://a:80/x?y=http://z HTTP/1.1").target, "/x?y=http://z");
  EXPECT_EQ(request("", "GET http://a HTTP/1.1").target, "/");
  EXPECT_EQ(request("", "GET http://a?x HTTP/1.1").target, "/?x");
  EXPECT_EQ(request("", "GET /x?y=http://z HTTP/1.1").target, "/x?y=http://z");
  EXPECT_EQ(request("", "OPTIONS * HTTP/1.1").target, "*");
}

TEST(RequestHead, RefusesWhatTwoParsersCouldReadInTwoWays) {
  for (const std::string bad :
       {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\nX: no host\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n: no name\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "GET  HTTP/1.1\r\nHost: a\r\n\r\n",
        "G ET / HTTP/1.1\r\nHost: a\r\n\r\n", "G\tT / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n"}) {
    EXPECT_THROW(parse_request_head(bad, {}), Error) << bad;
  }
  const auto nul = std::string("GET / HTTP/1.1\r\nHost: a") + '\0' + "\r\n\r\n";
  EXPECT_THROW(parse_request_head(nul, {}), Error);
}

TEST(RequestHead, RefusesTooManyFields) {
  std::string fields;
  for (int i = 0; i < 300; ++i) fields += "X: y\r\n";
  EXPECT_THROW(request(fields), Error);
}

TEST(RequestFraming, KnowsOneWayToReadABody) {
  EXPECT_EQ(request_framing(request("")).kind, BodyFraming::Kind::kNone);
  EXPECT_EQ(request_framing(request("Content-Length: 12\r\n")).length, 12u);
  EXPECT_EQ(request_framing(request("Content-Length: 12\r\nContent-Length: 12\r\n")).length, 12u);
  EXPECT_EQ(request_framing(request("Transfer-Encoding: Chunked\r\n")).kind, BodyFraming::Kind::kChunked);
  for (const auto* bad :
       {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: +1\r\n", "Content-Length: -1\r\n", "Content-Length: 1, 1\r\n", "Content-Length: 0x1\r\n",
        "Content-Length:\r\n", "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: \013chunked\r\n"}) {
    EXPECT_THROW(request_framing(request(bad)), Error) << bad;
  }
  EXPECT_THROW(request_framing(request("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0")), Error);
}

TEST(ResponseHead, IsReadInParts) {
  int minor = 0;
  const auto head = parse_response_head("HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n", {}, &minor);
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "Not Found");
  EXPECT_EQ(minor, 1);
  EXPECT_EQ(parse_response_head("HTTP/1.1 200\r\n\r\n", {}).reason, "");
  for (const auto* bad :
       {"HTTP/1.1 20\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/3.1 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1  200\r\n\r\n"}) {
    EXPECT_THROW(parse_response_head(bad, {}), Error) << bad;
  }
}

TEST(ResponseFraming, DependsOnStatusAndMethod) {
  using Kind = BodyFraming::Kind;
  const Headers five = {{"Content-Length", "5"}};
  EXPECT_EQ(response_framing(response(200, five), "GET").length, 5u);
  EXPECT_EQ(response_framing(response(200, five), "HEAD").kind, Kind::kNone);
  EXPECT_EQ(response_framing(response(204, five), "GET").kind, Kind::kNone);
  EXPECT_EQ(response_framing(response(304, five), "GET").kind, Kind::kNone);
  EXPECT_EQ(response_framing(response(200, {}), "GET").kind, Kind::kUntilClose);
  EXPECT_EQ(response_framing(response(200, {{"Transfer-Encoding", "chunked"}}), "GET").kind, Kind::kChunked);
  EXPECT_THROW(response_framing(response(200, {{"Transfer-Encoding", "gzip"}}), "GET"), Error);
}

TEST(KeepAlive, IsTheRuleInOneOneAndTheWishInOneZero) {
  EXPECT_TRUE(keeps_alive({}, 1));
  EXPECT_FALSE(keeps_alive({{"Connection", "Upgrade, Close"}}, 1));
  EXPECT_FALSE(keeps_alive({{"Connection", "x"}, {"Connection", "close"}}, 1));
  EXPECT_TRUE(keeps_alive({{"Connection", "not-close"}}, 1));
  EXPECT_FALSE(keeps_alive({}, 0));
  EXPECT_TRUE(keeps_alive({{"connection", "Keep-Alive"}}, 0));
}

TEST(Serialize, RefusesWhatWouldBreakTheHead) {
  EXPECT_EQ(serialize_request_head("GET", "/a", {{"A", "b"}}), "GET /a HTTP/1.1\r\nA: b\r\n\r\n");
  EXPECT_THROW(serialize_headers({{"X", "a\r\nEvil: b"}}), Error);
  EXPECT_THROW(serialize_headers({{"X: a\r\nEvil", "b"}}), Error);
  EXPECT_THROW(serialize_headers({{"", "b"}}), Error);
  EXPECT_THROW(serialize_request_head("GET", "/a b", {}), Error);
  EXPECT_THROW(serialize_request_head("GET", "/a\r\nEvil: b", {}), Error);
  EXPECT_THROW(serialize_request_head("GET /x", "/a", {}), Error);
}

/// Reads one body of `bytes` in pieces of at most `slice`, then what follows it.
struct Read {
  std::string body;
  std::string rest;
  std::string failure;
};
Task<void> read_body(std::string bytes, BodyFraming framing, std::size_t slice, Read* out) {
  auto [near, far] = net::make_pipe(bytes.size() + 1);
  co_await far->write_all(bytes);
  co_await far->close();
  const auto stream = net::testing::faulty(std::move(near), {.slice_reads = slice});
  WireReader reader(stream.get());
  reader.begin_body(framing);
  for (auto piece = co_await reader.body(); !piece.empty(); piece = co_await reader.body()) out->body += piece;
  EXPECT_TRUE(reader.body_done());
  out->rest = reader.take_rest() + co_await net::testing::read_to_end(stream.get());
}
Read read(std::string bytes, BodyFraming framing, std::size_t slice = 0) {
  Read out;
  auto note = [](Task<void> task, std::string* failure) -> Task<void> {
    *failure = co_await failure_of(std::move(task));
  };
  run(note(read_body(std::move(bytes), framing, slice, &out), &out.failure));
  return out;
}

constexpr BodyFraming kChunkedBody{BodyFraming::Kind::kChunked, 0};

TEST(ChunkedBody, IsTheSameHoweverItArrives) {
  const std::string wire = "5\r\nhello\r\n1;ext=\"x\"\r\n \r\nB \r\nlittle wor\n\r\n0\r\nTrailer: x\r\n\r\nnext";
  for (const std::size_t slice : {0u, 1u, 2u, 3u, 5u, 7u}) {
    const auto got = read(wire, kChunkedBody, slice);
    EXPECT_EQ(got.failure, "");
    EXPECT_EQ(got.body, "hello little wor\n") << slice;
    EXPECT_EQ(got.rest, "next");
  }
}

TEST(ChunkedBody, RefusesWhatIsMalformed) {
  for (const auto* bad :
       {"x\r\n", "\r\n", "-5\r\nhello\r\n", "0x5\r\nhello\r\n", "5\r\nhello!\r\n0\r\n\r\n", "5\nhello\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n", "ffffffffffffffff\r\nx", "fffffffffffffffff\r\nx"}) {
    EXPECT_THAT(read(bad, kChunkedBody).failure, HasSubstr("Invalid: malformed HTTP")) << bad;
  }
  EXPECT_THAT(read(std::string(5000, '0'), kChunkedBody).failure, HasSubstr("a chunk line without end"));
  std::string trailer = "0\r\n";
  for (int i = 0; i < 3000; ++i) trailer += "Trailer: x\r\n";
  EXPECT_THAT(read(trailer, kChunkedBody).failure, HasSubstr("endless trailer"));
}

TEST(AnyBody, IsNeverTakenForWholeWhenItIsCutOff) {
  const std::string wire = "5\r\nhello\r\n0\r\n\r\n";
  for (std::size_t size = 0; size < wire.size(); ++size) {
    EXPECT_THAT(read(wire.substr(0, size), kChunkedBody).failure, HasSubstr("Unavailable: ")) << size;
  }
  EXPECT_THAT(read("hell", {BodyFraming::Kind::kLength, 5}).failure, HasSubstr("Unavailable: "));
  EXPECT_EQ(read("hell", {BodyFraming::Kind::kUntilClose, 0}).body, "hell");
}

TEST(LengthBody, LeavesTheNextMessageAlone) {
  const auto got = read("helloHTTP/1.1", {BodyFraming::Kind::kLength, 5});
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.rest, "HTTP/1.1");
}

TEST(LengthBody, LargeBodiesArriveWhole) {
  std::string data(3'000'000, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 31 >> 3);
  EXPECT_TRUE(read(data, {BodyFraming::Kind::kLength, data.size()}).body == data);
}

Task<std::string> head_of(std::string bytes, std::size_t slice) {
  auto [near, far] = net::make_pipe(bytes.size() + 1);
  co_await far->write_all(bytes);
  co_await far->close();
  const auto stream = net::testing::faulty(std::move(near), {.slice_reads = slice});
  co_return co_await WireReader(stream.get(), {.head_bytes = 1000}).head();
}

Task<void> expect_no_head(std::string bytes) { co_await head_of(std::move(bytes), 0); }

TEST(Head, EndsAtItsEmptyLineAndWithinItsLimit) {
  run([]() -> Task<void> {
    for (const std::size_t slice : {0u, 1u, 3u}) {
      EXPECT_EQ(co_await head_of("A\r\nB: c\r\n\r\nbody\r\n\r\n", slice), "A\r\nB: c\r\n\r\n");
    }
    EXPECT_EQ(co_await head_of("", 0), "");
    EXPECT_THAT(co_await failure_of(expect_no_head("A\r\nB: c\r\n")), HasSubstr("Unavailable"));
    EXPECT_THAT(co_await failure_of(expect_no_head(std::string(2000, 'x'))), HasSubstr("longer than 1000 bytes"));
    EXPECT_THAT(co_await failure_of(expect_no_head(std::string(2000, 'x') + "\r\n\r\n")),
                HasSubstr("longer than 1000"));
  }());
}

TEST(WriteWithin, GivesUpOnAPeerThatTakesNothing) {
  run([]() -> Task<void> {
    auto [near, far] = net::make_pipe(10);
    const std::string data(100, 'x');
    EXPECT_THAT(co_await failure_of(write_within(near.get(), data, std::chrono::milliseconds(5))),
                HasSubstr("Timeout: write to pipe"));
  }());
}

}  // namespace
}  // namespace mtc::http
