#include "http/client.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <list>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "http/wire.hpp"

namespace mtc::http {
namespace {

using Instant = std::chrono::steady_clock::time_point;

struct Connection {
  explicit Connection(net::StreamPtr over, const WireLimits& limits)
      : stream(std::move(over)), reader(stream.get(), limits) {}
  net::StreamPtr stream;
  WireReader reader;
  Instant idle_since{};
  bool reused = false;
};
using ConnectionPtr = std::unique_ptr<Connection>;

bool is_idempotent(std::string_view method) {
  constexpr std::array kIdempotent = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
  return std::ranges::find(kIdempotent, method) != kIdempotent.end();
}

Task<void> write_body(net::Stream* stream, std::shared_ptr<BodySource> source, bool chunked) {
  for (auto piece = co_await source->next(); !piece.empty(); piece = co_await source->next()) {
    if (chunked) co_await stream->write_all(fmt::format("{:x}\r\n", piece.size()));
    co_await stream->write_all(piece);
    if (chunked) co_await stream->write_all("\r\n");
  }
  if (chunked) co_await stream->write_all("0\r\n\r\n");
}

/// A raw stream that first gives what was read beyond the head of a 101 answer.
class PrefixedStream final : public net::Stream {
 public:
  PrefixedStream(std::string prefix, net::StreamPtr inner) : prefix_(std::move(prefix)), inner_(std::move(inner)) {}

  Task<std::size_t> read_some(std::span<char> into) override {
    if (prefix_.empty()) co_return co_await inner_->read_some(into);
    const auto size = std::min(into.size(), prefix_.size());
    std::memcpy(into.data(), prefix_.data(), size);
    prefix_.erase(0, size);
    co_return size;
  }
  Task<void> write_all(std::string_view data) override { return inner_->write_all(data); }
  Task<void> close() override { return inner_->close(); }
  std::string peer() const override { return inner_->peer(); }

 private:
  std::string prefix_;
  net::StreamPtr inner_;
};

}  // namespace

struct Client::State {
  explicit State(ClientOptions with) : options(std::move(with)), slots(options.max_connections) {
    if (!options.connector) options.connector = net::tcp_connector();
    if (options.origin.scheme == "https" && !options.tls) {
      options.tls = std::make_shared<net::TlsClient>(net::TlsClientOptions{});
    }
    limits.head_bytes = options.max_header_bytes;
  }

  std::string where() const { return options.origin.scheme + "://" + options.origin.authority(); }

  ConnectionPtr take_idle() {
    const auto oldest = std::chrono::steady_clock::now() - options.idle_limit;
    while (!idle.empty()) {
      auto connection = std::move(idle.back());  // the warmest first
      idle.pop_back();
      if (connection->idle_since > oldest) {
        connection->reused = true;
        return connection;
      }
    }
    return nullptr;
  }

  void give_back(ConnectionPtr connection) {
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(idle, [&](const auto& other) { return other->idle_since <= now - options.idle_limit; });
    if (idle.size() >= options.max_idle_connections) return;
    connection->idle_since = now;
    idle.push_back(std::move(connection));
  }

  Task<ConnectionPtr> connect() {
    auto stream = co_await options.connector->connect({options.origin.host, options.origin.port});
    if (options.tls && options.origin.scheme == "https") {
      stream = co_await async::with_timeout(options.response_limit, "TLS handshake with " + options.origin.authority(),
                                            options.tls->handshake(std::move(stream), options.origin.host));
    }
    co_return std::make_unique<Connection>(std::move(stream), limits);
  }

  std::string head_of(const Request& request) const {
    auto headers = request.headers;
    if (!headers.has("Host")) headers.set("Host", options.origin.authority());
    if (!headers.has("User-Agent")) headers.set("User-Agent", options.user_agent);
    if (request.source) {
      if (const auto size = request.source->size()) {
        headers.set("Content-Length", std::to_string(*size));
      } else {
        headers.set("Transfer-Encoding", "chunked");
      }
    } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
               request.method == "PATCH") {
      headers.set("Content-Length", std::to_string(request.body.size()));
    }
    return fmt::format("{} {}{} HTTP/1.1\r\n{}", request.method, options.origin.path, request.target,
                       serialize_headers(headers));
  }

  /// Sends and reads the head of the final response (1xx answers are passed over).
  Task<ResponseHead> exchange(Connection* connection, const Request* request, int* minor_version) {
    auto text = head_of(*request);
    if (!request->source) text += request->body;
    co_await connection->stream->write_all(text);
    if (request->source) co_await write_body(connection->stream.get(), request->source, !request->source->size());
    for (;;) {
      const auto block = co_await async::with_timeout(options.response_limit,
                                                      fmt::format("{} {}{}", request->method, where(), request->target),
                                                      connection->reader.head());
      if (block.empty())
        throw Error(Code::kUnavailable, fmt::format("{} closed the connection without an answer", where()));
      auto head = parse_response_head(block, limits, minor_version);
      if (head.status >= 200 || head.status == 101) co_return head;
    }
  }

  struct Opened {
    ConnectionPtr connection;
    ResponseHead head;
    int minor_version = 1;
  };

  Task<Opened> open(Request* request) {
    for (;;) {
      Opened opened;
      opened.connection = take_idle();
      if (!opened.connection) opened.connection = co_await connect();
      const bool reused = opened.connection->reused;
      try {
        opened.head = co_await exchange(opened.connection.get(), request, &opened.minor_version);
        co_return opened;
      } catch (const Error& error) {
        // A kept-alive connection that the server had closed meanwhile: nothing was answered, so a new one is tried.
        const bool stale = reused && error.code() == Code::kUnavailable && !opened.connection->reader.body_buffered();
        if (!stale || !is_idempotent(request->method)) throw;
      }
      if (request->source) request->source->rewind();
    }
  }

  ClientOptions options;
  WireLimits limits;
  async::Semaphore slots;
  std::list<ConnectionPtr> idle;
};

namespace {

class PooledResponse final : public ResponseStream {
 public:
  PooledResponse(std::shared_ptr<Client::State> pool, Client::State::Opened opened, std::string_view method,
                 async::Semaphore::Permit permit)
      : pool_(std::move(pool)),
        connection_(std::move(opened.connection)),
        head_(std::move(opened.head)),
        permit_(std::move(permit)) {
    const auto framing = response_framing(head_, method);
    reusable_ = keeps_alive(head_.headers, opened.minor_version) && framing.kind != BodyFraming::Kind::kUntilClose;
    connection_->reader.begin_body(framing);
    if (connection_->reader.body_done()) finish();
  }

  const ResponseHead& head() const override { return head_; }

  Task<std::string_view> read(Duration stall) override {
    if (!connection_) co_return std::string_view{};
    std::string_view piece;
    if (stall == Duration::zero()) {
      piece = co_await connection_->reader.body();
    } else {
      piece = co_await async::with_timeout(stall, "read the answer of " + pool_->where(), connection_->reader.body());
    }
    // The piece lies in the connection's buffer: it is given back with the next call.
    if (piece.empty()) finish();
    co_return piece;
  }

 private:
  void finish() {
    if (reusable_) pool_->give_back(std::move(connection_));
    connection_.reset();
  }

  std::shared_ptr<Client::State> pool_;
  ConnectionPtr connection_;
  ResponseHead head_;
  async::Semaphore::Permit permit_;
  bool reusable_ = false;
};

}  // namespace

Client::Client(ClientOptions options) : state_(std::make_shared<State>(std::move(options))) {}
const ClientOptions& Client::options() const { return state_->options; }

Task<ResponseStreamPtr> Client::open(Request request) {
  const auto state = state_;
  auto permit = co_await state->slots.acquire();
  auto opened = co_await state->open(&request);
  co_return std::make_unique<PooledResponse>(state, std::move(opened), request.method, std::move(permit));
}

Task<Response> Client::send(Request request) {
  const auto state = state_;
  const auto stream = co_await open(std::move(request));
  Response response{stream->head().status, stream->head().reason, stream->head().headers, ""};
  for (;;) {
    const auto piece = co_await stream->read(state->options.body_stall_limit);
    if (piece.empty()) co_return response;
    if (response.body.size() + piece.size() > state->options.max_body_bytes) {
      throw Error(Code::kCorrupt,
                  fmt::format("{} answers with more than {} bytes", state->where(), state->options.max_body_bytes));
    }
    response.body += piece;
  }
}

Task<net::StreamPtr> Client::upgrade(Request request) {
  const auto state = state_;
  auto connection = co_await state->connect();
  int minor_version = 1;
  const auto head = co_await state->exchange(connection.get(), &request, &minor_version);
  if (head.status != 101) {
    throw Error(Code::kUnsupported, fmt::format("{} {}{} answers {} {} instead of switching protocols", request.method,
                                                state->where(), request.target, head.status, head.reason))
        .with_http_status(head.status);
  }
  auto rest = connection->reader.take_rest();
  co_return std::make_unique<PrefixedStream>(std::move(rest), std::move(connection->stream));
}

}  // namespace mtc::http
