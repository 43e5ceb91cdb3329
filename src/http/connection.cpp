#include "http/connection.hpp"

#include <exception>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"

namespace mtc::http {
namespace {

/// Bodies up to this size travel with the head in one write.
constexpr std::size_t kSmallBody = 32 * 1024;
constexpr int kMostInterimAnswers = 16;

/// A write that the peer refused; told apart from a failure of the body's source, which can have the same code.
struct PeerRefuses {
  Error error;
};

Task<void> write(net::Stream* stream, std::string_view data, Duration stall) {
  std::optional<Error> failure;
  try {
    co_await write_within(stream, data, stall);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) throw PeerRefuses{*failure};
}

}  // namespace

Error as_seen_by_client(const Error& error) {
  return error.code() == Code::kInvalid ? Error(Code::kCorrupt, error.message()) : error;
}

Connection::Connection(net::StreamPtr stream, const WireLimits& limits)
    : stream_(std::move(stream)), reader_(stream_.get(), limits) {}

void Connection::lie_idle(Instant since) {
  idle_since_ = since;
  reader_.shrink();
}

net::StreamPtr Connection::take_stream() { return net::with_prefix(reader_.take_rest(), std::move(stream_)); }

Task<void> Connection::send_source(std::string head, std::shared_ptr<BodySource> source, Duration stall) {
  const auto announced = source->size();
  std::uint64_t sent = 0;
  std::string out = std::move(head);  // small pieces travel with what frames them
  for (auto piece = co_await source->next(); !piece.empty(); piece = co_await source->next()) {
    sent += piece.size();
    if (announced && sent > *announced) {
      throw Error(Code::kCorrupt, fmt::format("the body is longer than the {} bytes announced", *announced));
    }
    if (!announced) out += fmt::format("{:x}\r\n", piece.size());
    if (piece.size() <= kSmallBody) {
      out += piece;
    } else {
      co_await write(stream_.get(), std::exchange(out, {}), stall);
      co_await write(stream_.get(), piece, stall);
    }
    if (!announced) out += "\r\n";
    co_await write(stream_.get(), std::exchange(out, {}), stall);
  }
  if (announced && sent < *announced) {
    throw Error(Code::kCorrupt, fmt::format("the body ends after {} of the {} bytes announced", sent, *announced));
  }
  if (!announced) out += "0\r\n\r\n";
  co_await write(stream_.get(), out, stall);
}

Task<void> Connection::send(std::string head, const Request* request, Duration stall) {
  if (request->source) co_return co_await send_source(std::move(head), request->source, stall);
  if (request->body.size() <= kSmallBody) {
    head += request->body;
    co_return co_await write(stream_.get(), head, stall);
  }
  co_await write(stream_.get(), head, stall);
  co_await write(stream_.get(), request->body, stall);
}

Task<Connection::Answer> Connection::read_answer(Duration limit) {
  Answer answer;
  for (int interim = 0; interim < kMostInterimAnswers; ++interim) {
    const auto block = co_await async::with_timeout(limit, "wait for the answer", reader_.head());
    if (block.empty()) throw Error(Code::kUnavailable, "the connection was closed without an answer");
    answer.head = parse_response_head(block, {}, &answer.minor_version);
    if (answer.head.status >= 200 || answer.head.status == 101) co_return answer;
  }
  throw Error(Code::kCorrupt, "interim answers without end");
}

Task<Connection::Answer> Connection::exchange(std::string head, const Request* request, Patience patience) {
  std::optional<Error> unsent;
  try {
    co_await send(std::move(head), request, patience.taking);
  } catch (const PeerRefuses& refusal) {
    unsent = refusal.error;
  }
  if (unsent && unsent->code() != Code::kUnavailable) throw Error(*unsent);
  // A peer may refuse a body that it does not want to read to its end: its answer is there all the same.
  std::optional<Error> unanswered;
  try {
    auto answer = co_await read_answer(patience.answering);
    answer.whole_request_sent = !unsent;
    co_return answer;
  } catch (const Error& error) {
    unanswered = as_seen_by_client(error);
  }
  throw Error(unsent ? *unsent : *unanswered);
}

}  // namespace mtc::http
