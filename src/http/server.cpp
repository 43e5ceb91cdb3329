#include "http/server.hpp"

#include <exception>
#include <expected>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"
#include "http/wire.hpp"
#include "http/wire_writer.hpp"

namespace mtc::http {
namespace {

/// What an unread request body may still hold before the connection is given up.
constexpr std::uint64_t kDrainLimit = 256 * 1024;
constexpr auto kLingerLimit = std::chrono::seconds(1);

Response plain_error(const Error& error) {
  const int status = error.http_status() != 0 ? error.http_status() : 500;
  return {status, "", {{"Content-Type", "text/plain; charset=utf-8"}}, std::string(error.what()) + "\n"};
}

/// Reads on for a moment after an answer that the client did not wait for: closing with unread input resets the
/// connection, and that may take the answer with it.
Task<void> linger(WireReader* reader) {
  auto discard = [](WireReader* from) -> Task<void> {
    from->begin_body({BodyFraming::Kind::kLength, kDrainLimit});
    while (!(co_await from->body()).empty()) {
    }
  };
  try {
    co_await async::with_timeout(kLingerLimit, "linger", discard(reader));
  } catch (const Error&) {
    // The client is gone, or sends without end: enough was done.
  }
}

/// Reads what the handler left of the body, so that the next request begins where it should. False if that is too much.
Task<bool> drain(WireReader* reader) {
  std::uint64_t drained = 0;
  while (!reader->body_done()) {
    drained += (co_await reader->body()).size();
    if (drained > kDrainLimit) co_return false;
  }
  co_return true;
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

  /// One client, from its handshake to its end.
  struct Session {
    net::StreamPtr stream;
    net::PeerIdentity identity;
    WireReader reader;
    bool continue_owed = false;  ///< the client waits for "100 Continue" before it sends the body
  };

  Task<void> serve(net::StreamPtr stream) {
    net::PeerIdentity identity;
    if (tls) {
      auto accepted =
          co_await async::with_timeout(options.head_limit, "TLS handshake", tls->handshake(std::move(stream)));
      stream = std::move(accepted.stream);
      identity = std::move(accepted.peer);
    }
    auto* raw = stream.get();
    Session session{std::move(stream), std::move(identity), WireReader(raw, limits)};
    auto patience = options.head_limit;
    while (co_await serve_next(&session, std::exchange(patience, options.idle_limit))) session.reader.shrink();
    if (session.stream) co_await session.stream->close();
  }

  /// The next request, nothing at the end of the connection, or why what arrived is refused.
  using Next = std::expected<std::optional<RequestHead>, Error>;
  Task<Next> read_head(WireReader* reader, Duration patience) {
    try {
      const auto block = co_await async::with_timeout(patience, "wait for a request", reader->head());
      if (block.empty()) co_return std::nullopt;
      auto head = parse_request_head(block, limits);
      reader->begin_body(request_framing(head));
      co_return head;
    } catch (const Error& error) {
      if (error.http_status() == 0) throw;  // the client is gone or silent: there is nobody to answer
      co_return std::unexpected(error);
    }
  }

  /// One request; false if the connection ends with it.
  Task<bool> serve_next(Session* session, Duration patience) {
    auto next = co_await read_head(&session->reader, patience);
    if (!next) {
      WireWriter writer(&session->stream, &session->reader, WireWriter::Body::kYes, WireWriter::KeepAlive::kNo,
                        options.body_stall_limit);
      co_await writer.respond(plain_error(next.error()));
      if (!session->stream->quiet()) co_await linger(&session->reader);
      co_return false;
    }
    if (!*next) co_return false;
    co_return co_await answer(session, std::move(**next));
  }

  Task<bool> answer(Session* session, RequestHead head) {
    using Body = WireWriter::Body;
    using KeepAlive = WireWriter::KeepAlive;
    auto* reader = &session->reader;
    session->continue_owed = iequals(head.headers.get("Expect"), "100-continue") && !reader->body_done();
    WireWriter writer(&session->stream, reader, head.method == "HEAD" ? Body::kNo : Body::kYes,
                      keeps_alive(head.headers, head.minor_version) ? KeepAlive::kYes : KeepAlive::kNo,
                      options.body_stall_limit);
    auto request = make_request(std::move(head), session);
    const auto failed = co_await handle(&request, &writer);
    if (failed && !writer.untouched()) {
      // The client must see that its answer is cut off, so nothing more is sent.
      log::debug("request ended early", {{"path", request.path}, {"error", failed->what()}});
      co_return false;
    }
    if (failed) co_await writer.respond(plain_error(*failed));
    if (writer.upgraded()) co_return false;
    if (writer.untouched()) co_await writer.respond({500, "", {}, "no answer\n"});
    co_await writer.end();
    // A client that waits for "100 Continue" may send the body or not: only closing is clear.
    if (writer.keep_alive() == KeepAlive::kYes && !session->continue_owed &&
        co_await async::with_timeout(options.body_stall_limit, "skip a body", drain(reader))) {
      co_return true;
    }
    if (!reader->body_done()) co_await linger(reader);
    co_return false;
  }

  /// Why the handler failed, if it did.
  Task<std::optional<Error>> handle(ServerRequest* request, WireWriter* writer) {
    try {
      co_await handler(*request, *writer);
      co_return std::nullopt;
    } catch (const Error& error) {
      co_return error;
    } catch (const std::exception& unexpected) {
      if (async::is_cancellation(std::current_exception())) throw;
      // A bug in one handler must not end the server.
      log::error("a handler failed", {{"path", request->path}, {"error", unexpected.what()}});
      co_return Error(Code::kInternal, "internal error");
    }
  }

  ServerRequest make_request(RequestHead head, Session* session) {
    ServerRequest request;
    request.method = std::move(head.method);
    const auto question = head.target.find('?');
    request.path = head.target.substr(0, question);
    if (question != std::string::npos) request.query = decode_query(std::string_view(head.target).substr(question + 1));
    request.headers = std::move(head.headers);
    request.peer = session->stream->peer();
    request.identity = session->identity;
    request.read_body = [session, stall = options.body_stall_limit] { return next_piece(session, stall); };
    return request;
  }

  static Task<std::string_view> next_piece(Session* session, Duration stall) {
    if (std::exchange(session->continue_owed, false)) {
      co_await write_within(session->stream.get(), "HTTP/1.1 100 Continue\r\n\r\n", stall);
    }
    co_return co_await async::with_timeout(stall, "read the request body", session->reader.body());
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
    } catch (const std::exception& error) {
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
