#include "http/client.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "http/connection.hpp"
#include "http/wire.hpp"

namespace mtc::http {
namespace {

/// How much of a refusal's body goes into its message.
constexpr std::size_t kQuotedBody = 1024;

bool is_idempotent(std::string_view method) {
  constexpr std::array kIdempotent = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
  return std::ranges::find(kIdempotent, method) != kIdempotent.end();
}

bool has_body(const Request& request) {
  return !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
}

}  // namespace

struct Client::State {
  explicit State(ClientOptions with) : options(std::move(with)), slots(options.max_connections) {
    if (!options.connector) options.connector = net::tcp_connector();
    if (options.origin.scheme == "https" && !options.tls) {
      options.tls = std::make_shared<net::TlsClient>(net::TlsClientOptions{});
    }
    limits.head_bytes = options.max_header_bytes;
  }

  /// "GET https://host/path", without the query: it may hold a signature.
  std::string what(const Request& request) const {
    const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
    return fmt::format("{} {}://{}{}{}", request.method, options.origin.scheme, options.origin.authority(),
                       options.origin.path, path);
  }

  std::string head_of(const Request& request) const {
    auto headers = request.headers;
    if (!headers.has("Host")) headers.set("Host", options.origin.authority());
    if (!headers.has("User-Agent")) headers.set("User-Agent", options.user_agent);
    headers.remove("Transfer-Encoding");
    headers.remove("Content-Length");
    const auto size = request.source ? request.source->size() : request.body.size();
    if (!size) {
      headers.set("Transfer-Encoding", "chunked");
    } else if (request.source || has_body(request)) {
      headers.set("Content-Length", std::to_string(*size));
    }
    return serialize_request_head(request.method, options.origin.path + request.target, headers);
  }

  ConnectionPtr take_idle() {
    const auto oldest = std::chrono::steady_clock::now() - options.idle_limit;
    while (!idle.empty()) {
      auto connection = std::move(idle.back());  // the warmest first
      idle.pop_back();
      if (connection->idle_since() > oldest && connection->quiet()) return connection;
    }
    return nullptr;
  }

  void give_back(ConnectionPtr connection) {
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(idle, [&](const auto& other) { return other->idle_since() <= now - options.idle_limit; });
    if (idle.size() >= options.max_idle_connections || !connection->quiet()) return;
    connection->lie_idle(now);
    idle.push_back(std::move(connection));
  }

  Task<ConnectionPtr> connect() {
    auto stream = co_await options.connector->connect({options.origin.host, options.origin.port});
    if (options.origin.scheme == "https") {
      stream = co_await async::with_timeout(options.response_limit, "TLS handshake with " + options.origin.authority(),
                                            options.tls->handshake(std::move(stream), options.origin.host));
    }
    co_return std::make_unique<Connection>(std::move(stream), limits);
  }

  Task<Connection::Answer> exchange(Connection* connection, const Request* request) {
    return connection->exchange(head_of(*request), request, {options.body_stall_limit, options.response_limit});
  }

  struct Opened {
    ConnectionPtr connection;
    Connection::Answer answer;
  };

  /// Nothing if the server had closed this kept-alive connection meanwhile, so that the request may go out on another.
  Task<std::optional<Opened>> open_on_idle(ConnectionPtr connection, const Request* request) {
    try {
      auto answer = co_await exchange(connection.get(), request);
      co_return Opened{std::move(connection), std::move(answer)};
    } catch (const Error& error) {
      const bool unanswered = error.code() == Code::kUnavailable && !connection->reader().has_rest();
      if (!unanswered || !is_idempotent(request->method)) throw;
    }
    if (request->source) request->source->rewind();
    co_return std::nullopt;
  }

  Task<Opened> open_new(const Request* request) {
    auto connection = co_await connect();
    auto answer = co_await exchange(connection.get(), request);
    co_return Opened{std::move(connection), std::move(answer)};
  }

  enum class Reuse { kNo, kYes };
  Task<Opened> open(const Request* request, Reuse reuse) {
    try {
      while (auto connection = reuse == Reuse::kYes ? take_idle() : nullptr) {
        if (auto opened = co_await open_on_idle(std::move(connection), request)) co_return std::move(*opened);
      }
      co_return co_await open_new(request);
    } catch (Error& error) {
      error.with_context(what(*request));
      throw;
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
  PooledResponse(std::shared_ptr<Client::State> pool, Client::State::Opened opened, const Request& request,
                 async::Semaphore::Permit permit)
      : pool_(std::move(pool)),
        what_(pool_->what(request)),
        permit_(std::move(permit)),
        connection_(std::move(opened.connection)),
        head_(std::move(opened.answer.head)) {
    const auto framing = framing_of(request.method);
    reusable_ = opened.answer.whole_request_sent && framing.kind != BodyFraming::Kind::kUntilClose &&
                keeps_alive(head_.headers, opened.answer.minor_version);
    connection_->reader().begin_body(framing);
    if (connection_->reader().body_done()) finish();
  }

  ~PooledResponse() override {
    if (connection_ && connection_->reader().body_done()) finish();
  }

  const ResponseHead& head() const override { return head_; }

  Task<std::string_view> read(Duration stall) override {
    // The piece lies in the connection's buffer, so the connection is given back with the call after the last piece.
    if (!connection_) co_return std::string_view{};
    std::exception_ptr failure;
    try {
      const auto piece = stall == Duration::zero()
                             ? co_await connection_->reader().body()
                             : co_await async::with_timeout(stall, "read the body", connection_->reader().body());
      if (piece.empty()) finish();
      co_return piece;
    } catch (const Error& error) {
      failure = std::make_exception_ptr(as_seen_by_client(error).with_context(what_));
    } catch (...) {
      failure = std::current_exception();
    }
    drop();
    std::rethrow_exception(failure);
  }

 private:
  BodyFraming framing_of(std::string_view method) const {
    try {
      return response_framing(head_, method);
    } catch (const Error& error) {
      throw as_seen_by_client(error).with_context(what_);
    }
  }

  void finish() {
    if (reusable_) pool_->give_back(std::move(connection_));
    drop();
  }

  /// Before its permit, so that there are never more connections than permits.
  void drop() {
    connection_.reset();
    permit_.reset();
  }

  std::shared_ptr<Client::State> pool_;
  std::string what_;
  std::optional<async::Semaphore::Permit> permit_;
  ConnectionPtr connection_;
  ResponseHead head_;
  bool reusable_ = false;
};

}  // namespace

Client::Client(ClientOptions options) : state_(std::make_shared<State>(std::move(options))) {}
const ClientOptions& Client::options() const { return state_->options; }

Task<ResponseStreamPtr> Client::open(Request request) {
  const auto state = state_;
  auto permit = co_await state->slots.acquire();
  auto opened = co_await state->open(&request, State::Reuse::kYes);
  co_return std::make_unique<PooledResponse>(state, std::move(opened), request, std::move(permit));
}

Task<Response> Client::send(Request request) {
  const auto state = state_;
  const auto what = state->what(request);
  const auto stream = co_await open(std::move(request));
  Response response{stream->head().status, stream->head().reason, stream->head().headers, ""};
  for (;;) {
    const auto piece = co_await stream->read(state->options.body_stall_limit);
    if (piece.empty()) co_return response;
    if (response.body.size() + piece.size() > state->options.max_body_bytes) {
      throw Error(Code::kCorrupt,
                  fmt::format("{}: the answer is longer than {} bytes", what, state->options.max_body_bytes));
    }
    response.body += piece;
  }
}

Task<Client::Switched> Client::switch_protocols(Request request) {
  const auto state = state_;
  const auto what = state->what(request);
  auto opened = co_await state->open(&request, State::Reuse::kNo);
  auto& [head, minor_version, sent] = opened.answer;
  if (head.status == 101) co_return Switched{std::move(head), opened.connection->take_stream()};

  auto& reader = opened.connection->reader();
  reader.begin_body(response_framing(head, request.method));
  std::string quoted;
  while (quoted.size() < kQuotedBody) {
    const auto piece = co_await async::with_timeout(state->options.body_stall_limit, what, reader.body());
    if (piece.empty()) break;
    quoted += piece;
  }
  quoted.resize(std::min(quoted.size(), kQuotedBody));
  throw Error(code_of_status(head.status), fmt::format("{} answers {} {} instead of switching protocols: {}", what,
                                                       head.status, head.reason, quoted))
      .with_http_status(head.status);
}

Task<net::StreamPtr> Client::upgrade(Request request) {
  auto switched = co_await switch_protocols(std::move(request));
  co_return std::move(switched.stream);
}

}  // namespace mtc::http
