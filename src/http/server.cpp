#include "http/server.hpp"

#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "http/wire.hpp"

namespace mtc::http {
namespace {

/// What an unread request body may still hold before the connection is given up.
constexpr std::uint64_t kDrainLimit = 256 * 1024;

std::string_view reason_of(int status) {
  switch (status) {
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 422: return "Unprocessable Entity";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Status";
  }
}

class Writer final : public ResponseWriter {
 public:
  Writer(net::StreamPtr* stream, bool head_only, bool keep_alive)
      : stream_(stream), head_only_(head_only), keep_alive_(keep_alive) {}

  Task<void> respond(Response response) override {
    demand(State::kNothing);
    state_ = State::kDone;
    if (!may_have_body(response.status)) {
      response.body.clear();
    } else if (!response.headers.has("Content-Length")) {
      response.headers.set("Content-Length", std::to_string(response.body.size()));
    }
    auto text = head_text(response.status, response.reason, std::move(response.headers));
    if (!head_only_) text += response.body;
    co_await (*stream_)->write_all(text);
  }

  Task<void> begin(ResponseHead head) override {
    demand(State::kNothing);
    state_ = State::kStreaming;
    head.headers.set("Transfer-Encoding", "chunked");
    co_await (*stream_)->write_all(head_text(head.status, head.reason, std::move(head.headers)));
  }

  Task<void> write(std::string_view data) override {
    demand(State::kStreaming);
    if (data.empty() || head_only_) co_return;  // an empty chunk would end the body
    auto chunk = fmt::format("{:x}\r\n", data.size());
    chunk += data;
    chunk += "\r\n";
    co_await (*stream_)->write_all(chunk);
  }

  Task<void> end() override {
    if (state_ != State::kStreaming) co_return;
    state_ = State::kDone;
    if (!head_only_) co_await (*stream_)->write_all("0\r\n\r\n");
  }

  Task<net::StreamPtr> upgrade(Headers headers) override {
    demand(State::kNothing);
    state_ = State::kUpgraded;
    co_await (*stream_)->write_all(fmt::format("HTTP/1.1 101 Switching Protocols\r\n{}", serialize_headers(headers)));
    co_return std::move(*stream_);
  }

  bool untouched() const { return state_ == State::kNothing; }
  bool upgraded() const { return state_ == State::kUpgraded; }
  bool keep_alive() const { return keep_alive_; }

 private:
  enum class State { kNothing, kStreaming, kDone, kUpgraded };

  void demand(State state) const {
    if (state_ != state) throw Error(Code::kInternal, "an answer was written twice or out of order");
  }
  static bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

  std::string head_text(int status, const std::string& reason, Headers headers) const {
    if (!keep_alive_) headers.set("Connection", "close");
    return fmt::format("HTTP/1.1 {} {}\r\n{}", status, reason.empty() ? reason_of(status) : reason,
                       serialize_headers(headers));
  }

  net::StreamPtr* stream_;
  bool head_only_;
  bool keep_alive_;
  State state_ = State::kNothing;
};

Response plain_error(const Error& error) {
  const int status = error.http_status() != 0 ? error.http_status() : 500;
  return {status, "", {{"Content-Type", "text/plain; charset=utf-8"}}, std::string(error.what()) + "\n"};
}

}  // namespace

Task<std::string> ServerRequest::body(std::size_t limit) {
  std::string whole;
  for (auto piece = co_await read_body(); !piece.empty(); piece = co_await read_body()) {
    if (whole.size() + piece.size() > limit) {
      throw Error(Code::kInvalid, fmt::format("the request body is longer than {} bytes", limit)).with_http_status(413);
    }
    whole += piece;
  }
  co_return whole;
}

std::string_view ServerRequest::param(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

struct Server::State {
  State(std::unique_ptr<net::Listener> on, ServerOptions with, Handler handle)
      : listener(std::move(on)), options(std::move(with)), handler(std::move(handle)), slots(options.max_connections) {
    if (options.tls) tls = std::make_unique<net::TlsServer>(*options.tls);
    limits.head_bytes = options.max_header_bytes;
  }

  Task<void> serve(net::StreamPtr stream) {
    net::PeerIdentity identity;
    if (tls) {
      auto accepted =
          co_await async::with_timeout(options.head_limit, "TLS handshake", tls->handshake(std::move(stream)));
      stream = std::move(accepted.stream);
      identity = std::move(accepted.peer);
    }
    WireReader reader(stream.get(), limits);
    bool first = true;
    while (stream) {
      const auto block =
          co_await async::with_timeout(first ? options.head_limit : options.idle_limit, "request head", reader.head());
      first = false;
      if (block.empty() || !co_await answer(&stream, &reader, block, identity)) break;
    }
    if (stream) co_await stream->close();
  }

  /// One request; false if the connection ends with it.
  Task<bool> answer(net::StreamPtr* stream, WireReader* reader, std::string block, net::PeerIdentity identity) {
    RequestHead head;
    std::optional<Error> refused;
    try {
      head = parse_request_head(block, limits);
      reader->begin_body(request_framing(head.headers));
    } catch (const Error& error) {
      refused = error;
    }
    Writer writer(stream, head.method == "HEAD", !refused && keeps_alive(head.headers, head.minor_version));
    if (refused) {
      co_await writer.respond(plain_error(*refused));
      co_return false;
    }
    auto request = make_request(std::move(head), reader, stream, std::move(identity));
    std::optional<Error> failed;
    try {
      co_await handler(request, writer);
    } catch (const Error& error) {
      failed = error;
    }
    if (failed && writer.untouched()) {
      co_await writer.respond(plain_error(*failed));
    } else if (failed) {
      log::debug("request ended early", {{"target", request.path}, {"error", failed->what()}});
      co_return false;
    }
    if (writer.upgraded()) co_return false;
    if (writer.untouched()) co_await writer.respond({500, "", {}, "no answer\n"});
    co_await writer.end();
    co_return writer.keep_alive() && co_await drain(reader);
  }

  ServerRequest make_request(RequestHead head, WireReader* reader, net::StreamPtr* stream, net::PeerIdentity identity) {
    ServerRequest request;
    request.method = std::move(head.method);
    const auto question = head.target.find('?');
    request.path = head.target.substr(0, question);
    if (question != std::string::npos) request.query = decode_query(std::string_view(head.target).substr(question + 1));
    request.headers = std::move(head.headers);
    request.peer = (*stream)->peer();
    request.identity = std::move(identity);
    auto continue_owed = std::make_shared<bool>(iequals(request.headers.get("Expect"), "100-continue"));
    request.read_body = [reader, stream, continue_owed] { return next_piece(reader, stream, continue_owed); };
    return request;
  }

  static Task<std::string_view> next_piece(WireReader* reader, net::StreamPtr* stream,
                                           std::shared_ptr<bool> continue_owed) {
    if (std::exchange(*continue_owed, false)) co_await (*stream)->write_all("HTTP/1.1 100 Continue\r\n\r\n");
    co_return co_await reader->body();
  }

  /// Reads what the handler left of the body, so that the next request begins where it should.
  static Task<bool> drain(WireReader* reader) {
    std::uint64_t drained = 0;
    while (!reader->body_done()) {
      drained += (co_await reader->body()).size();
      if (drained > kDrainLimit) co_return false;
    }
    co_return true;
  }

  std::unique_ptr<net::Listener> listener;
  ServerOptions options;
  Handler handler;
  std::unique_ptr<net::TlsServer> tls;
  WireLimits limits;
  async::Semaphore slots;
};

Server::Server(std::unique_ptr<net::Listener> listener, ServerOptions options, Handler handler)
    : state_(std::make_unique<State>(std::move(listener), std::move(options), std::move(handler))) {}
Server::~Server() = default;
Server::Server(Server&&) noexcept = default;

net::Endpoint Server::local() const { return state_->listener ? state_->listener->local() : net::Endpoint{}; }

Task<void> Server::serve(net::StreamPtr stream) { return state_->serve(std::move(stream)); }

Task<void> Server::run() {
  auto* state = state_.get();
  auto scope = co_await async::Scope::create();
  std::exception_ptr failure;
  auto serve_one = [](State* of, net::StreamPtr stream, async::Semaphore::Permit) -> Task<void> {
    co_await of->serve(std::move(stream));
  };
  auto log_failure = [](const std::exception_ptr& thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Error& error) {
      log::debug("connection ended", {{"error", error.what()}});
    }
  };
  try {
    for (;;) {
      auto permit = co_await state->slots.acquire();
      auto stream = co_await state->listener->accept();
      scope.spawn_isolated(serve_one(state, std::move(stream), std::move(permit)), log_failure);
    }
  } catch (...) {  // A cancellation, or a listener that failed: the handlers end first.
    failure = std::current_exception();
  }
  state->listener->close();
  co_await scope.cancel_and_join();
  std::rethrow_exception(failure);
}

}  // namespace mtc::http
