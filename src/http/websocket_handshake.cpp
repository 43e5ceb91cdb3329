#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <openssl/evp.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "http/websocket.hpp"
#include "http/wire.hpp"

namespace mtc::http {
namespace {

/// What proves that the server read the key as a WebSocket server (RFC 6455 §4.2.2).
std::string accept_of(std::string_view key) {
  const auto text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
    throw Error(Code::kInternal, "SHA-1 is not available");
  }
  return base64_encode({reinterpret_cast<const char*>(digest.data()), size});
}

std::string new_key(Rng* rng) {
  std::string nonce;
  while (nonce.size() < 16) nonce += static_cast<char>(rng->next() & 0xFF);
  return base64_encode(nonce);
}

[[noreturn]] void refuse(std::string what) {
  throw Error(Code::kInvalid, "not a usable WebSocket request: " + std::move(what)).with_http_status(400);
}

}  // namespace

Task<WebSocketPtr> open_websocket(Client client, Request request, std::vector<std::string> protocols, Rng* rng,
                                  WebSocket::Options options) {
  const auto key = new_key(rng);
  request.method = "GET";
  request.headers.set("Connection", "Upgrade");
  request.headers.set("Upgrade", "websocket");
  request.headers.set("Sec-WebSocket-Version", "13");
  request.headers.set("Sec-WebSocket-Key", key);
  if (!protocols.empty()) request.headers.set("Sec-WebSocket-Protocol", join(protocols, ", "));

  auto [head, stream] = co_await client.switch_protocols(std::move(request));
  if (head.headers.get("Sec-WebSocket-Accept") != accept_of(key) || !has_token(head.headers, "Upgrade", "websocket")) {
    throw Error(Code::kUnsupported, stream->peer() + " does not speak WebSocket");
  }
  auto chosen = std::string(head.headers.get("Sec-WebSocket-Protocol"));
  const bool offered = chosen.empty() ? protocols.empty() : std::ranges::find(protocols, chosen) != protocols.end();
  if (!offered) {
    throw Error(Code::kUnsupported, stream->peer() + " speaks none of the protocols " + join(protocols, ", "));
  }
  co_return std::make_unique<WebSocket>(std::move(stream), WebSocket::Role::kClient, std::move(chosen), rng, options);
}

Task<WebSocketPtr> accept_websocket(ServerRequest* request, ResponseWriter* writer, std::vector<std::string> protocols,
                                    WebSocket::Options options) {
  const auto& headers = request->headers;
  const auto key = std::string(headers.get("Sec-WebSocket-Key"));
  if (request->method != "GET" || !has_token(headers, "Connection", "Upgrade") ||
      !has_token(headers, "Upgrade", "websocket")) {
    refuse("it asks for no upgrade");
  }
  if (headers.get("Sec-WebSocket-Version") != "13") refuse("its version is not 13");
  if (key.empty()) refuse("it has no key");

  Headers answer = {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", accept_of(key)}};
  std::string chosen;
  if (headers.has("Sec-WebSocket-Protocol")) {
    const auto offered = std::ranges::find_if(
        protocols, [&](const auto& protocol) { return has_token(headers, "Sec-WebSocket-Protocol", protocol); });
    if (offered == protocols.end()) refuse("it offers none of the protocols " + join(protocols, ", "));
    chosen = *offered;
    answer.set("Sec-WebSocket-Protocol", chosen);
  }
  auto stream = co_await writer->upgrade(std::move(answer));
  co_return std::make_unique<WebSocket>(std::move(stream), WebSocket::Role::kServer, std::move(chosen), nullptr,
                                        options);
}

}  // namespace mtc::http
