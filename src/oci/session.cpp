#include "oci/session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "oci/registry_error.hpp"

namespace mtc::oci {
namespace {

constexpr std::size_t kMostRefusal = 64 * 1024;
constexpr std::size_t kMostClients = 16;
constexpr int kMostRedirects = 5;
/// Who speaks no TLS may wait for the rest of what it takes for a request.
constexpr Duration kFirstAnswer = std::chrono::seconds(10);

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool same_host(const http::Url& a, const http::Url& b) { return a.host == b.host && a.port == b.port; }

/// Docker Hub is served elsewhere than at its name.
http::Url address_of(const RegistryOptions& options) {
  const auto& host = options.host;
  const bool whole = host.starts_with("http://") || host.starts_with("https://");
  auto url = http::Url::parse(whole ? host : "https://" + host);
  if ((!url.path.empty() && url.path != "/") || !url.query.empty()) {
    throw Error(Code::kInvalid, fmt::format("\"{}\" is no registry: it is named by host and port alone", host));
  }
  url.path.clear();
  if (url.host == "docker.io" || url.host == "index.docker.io") url.host = "registry-1.docker.io";
  return url;
}

RegistryOptions complete(RegistryOptions options) {
  address_of(options);
  if (!options.connector) {
    options.connector = net::proxy_connector(net::proxy_from_environment(), net::tcp_connector());
  }
  if (options.clock == nullptr) options.clock = &system_clock();
  if (options.rng == nullptr) options.rng = &system_rng();
  return options;
}

std::shared_ptr<const net::TlsClient> tls_of(const RegistryOptions& options) {
  net::TlsClientOptions tls;
  tls.ca_pem = options.ca_pem;
  tls.verify = options.security == Security::kInsecure ? net::Verify::kNo : net::Verify::kYes;
  return std::make_shared<net::TlsClient>(std::move(tls));
}

/// A server may say in its refusal what it was sent.
std::string without(std::string text, const std::string& secret) {
  const auto blank = secret.find(' ');
  const auto token = blank == std::string::npos ? std::string() : secret.substr(blank + 1);
  if (token.empty()) return text;
  for (auto at = text.find(token); at != std::string::npos; at = text.find(token, at))
    text.replace(at, token.size(), "***");
  return text;
}

}  // namespace

Task<std::string> read_body(http::ResponseStream* stream, Duration stall, std::size_t most) {
  std::string body;
  for (auto piece = co_await stream->read(stall); !piece.empty(); piece = co_await stream->read(stall)) {
    if (body.size() + piece.size() > most) {
      throw Error(Code::kCorrupt, fmt::format("the answer is longer than {} bytes", most));
    }
    body += piece;
  }
  co_return body;
}

Session::Session(RegistryOptions options)
    : options_(complete(std::move(options))),
      tls_(tls_of(options_)),
      authorizer_({.credentials = options_.credentials,
                   .clock = options_.clock,
                   .plain_allowed = options_.security == Security::kInsecure || options_.host.starts_with("http://"),
                   .client_for = [this](const http::Url& at) { return client_for(at); }}) {
  const auto address = address_of(options_);
  const bool known = options_.security == Security::kVerified || options_.host.contains("://");
  if (known) origin_ = address;
}

std::string Session::scope_of(const std::string& repository, const std::string& actions) const {
  const auto* const usual = options_.access == Access::kPush ? "pull,push" : "pull";
  return fmt::format("repository:{}:{}", repository, actions.empty() ? usual : actions);
}

Error Session::failed(Error error, const Call& call) const {
  return error.with_context(fmt::format("{} in {}", call.doing, describe()));
}

http::Client Session::client_for(const http::Url& at) {
  const auto key = at.scheme + "://" + at.authority();
  if (const auto known = clients_.find(key); known != clients_.end()) return known->second;
  if (clients_.size() >= kMostClients) clients_.clear();
  http::ClientOptions http;
  http.origin = at;
  http.tls = tls_;
  http.connector = options_.connector;
  http.max_connections = options_.concurrent_requests;
  http.max_idle_connections = options_.concurrent_requests;
  http.response_limit = options_.answer_limit;
  http.body_stall_limit = options_.silence_limit;
  http.max_body_bytes = kMaxAnswer;
  return clients_.emplace(key, http::Client(std::move(http))).first->second;
}

Task<http::Url> Session::origin() {
  if (origin_) co_return *origin_;
  const auto turn = co_await finding_.acquire();
  if (!origin_) origin_ = co_await find_origin();
  co_return *origin_;
}

/// TLS is tried first also where it need not be verified.
Task<http::Url> Session::find_origin() {
  const auto secure = address_of(options_);
  auto plain = secure;
  plain.scheme = "http";
  if (!options_.host.contains(':')) plain.port = 80;
  auto ask = [](http::Client client) -> Task<void> {
    http::Request request;
    request.target = "/v2/";
    co_await client.open(std::move(request));
  };
  std::optional<Error> refusal;
  for (const auto& at : {secure, plain}) {
    try {
      const auto what = fmt::format("ask {} for the protocol", at.str());
      co_await async::with_timeout(std::min(options_.answer_limit, kFirstAnswer), what, ask(client_for(at)));
      co_return at;
    } catch (const Error& error) {
      if (error.code() != Code::kTls && !error.transient()) throw;
      if (!refusal) refusal = error;
    }
  }
  throw Error(*refusal);
}

/// A registry behind a proxy often does not know that it is asked by TLS; credentials do not fall back for that.
Session::Target Session::resolve(const http::Url& home, const std::string& location, const Target* from) const {
  const auto& base = from == nullptr ? home : from->origin;
  Target out;
  if (location.starts_with('/') && !location.starts_with("//")) {
    out = {base, location, false};
  } else {
    auto url = http::Url::parse(location.starts_with("//") ? base.scheme + ":" + location : location);
    out.path = (url.path.empty() ? "/" : url.path) + (url.query.empty() ? "" : "?" + url.query);
    url.path = url.query = "";
    const bool downgraded = home.scheme == "https" && url.scheme == "http" && url.host == home.host &&
                            (url.port == home.port || url.port == 80);
    out.origin = downgraded ? home : url;
  }
  out.ours = out.origin.scheme == home.scheme && same_host(out.origin, home);
  if (home.scheme == "https" && out.origin.scheme != "https" && options_.security != Security::kInsecure) {
    throw Error(Code::kUnsupported,
                fmt::format("it leads on to {} without TLS, which is not followed", out.origin.authority()));
  }
  return out;
}

bool Session::learn(const http::ResponseHead& head, const std::string& sent, const Call& call) {
  return authorizer_.learn(head.headers, sent, call.scopes);
}

Task<http::ResponseStreamPtr> Session::send(Call call, std::vector<int> fine) {
  const auto home = co_await origin();
  auto target = resolve(home, call.target, nullptr);
  int redirects = 0;
  std::size_t refusals_left = 2 + 2 * options_.credentials.size();
  for (;;) {
    http::Request request;
    request.method = call.method;
    request.target = target.path;
    request.headers = call.headers;
    const auto credentials = target.ours ? co_await authorizer_.field(call.scopes) : "";
    if (!credentials.empty()) request.headers.set("Authorization", credentials);
    request.body = call.body;
    request.source = call.source;
    auto client = client_for(target.origin);
    auto stream = co_await client.open(std::move(request));
    const auto& head = stream->head();
    if (head.status / 100 == 2 || std::ranges::find(fine, head.status) != fine.end()) co_return stream;
    const bool readable = call.method == "GET" || call.method == "HEAD";
    const auto location = std::string(head.headers.get("Location"));
    if (is_redirect(head.status) && readable && !location.empty() && ++redirects <= kMostRedirects) {
      target = resolve(home, location, &target);
      continue;
    }
    const bool again = head.status == 401 && target.ours && refusals_left-- > 0 && learn(head, credentials, call);
    http::Response refusal{head.status, head.reason, head.headers,
                           co_await read_body(stream.get(), options_.silence_limit, kMostRefusal)};
    if (again && call.source) throw Error(Code::kUnavailable, "the credentials have expired").with_http_status(401);
    if (again) continue;
    refusal.body = without(std::move(refusal.body), credentials);
    throw registry_error(refusal);
  }
}

Task<http::ResponseStreamPtr> Session::attempt_open(Call call, std::vector<int> fine) {
  std::optional<Error> failure;
  try {
    co_return co_await send(call, std::move(fine));
  } catch (const Error& error) {
    failure = error;
  }
  throw failed(failure->http_status() == 0 ? unanswered(*failure) : *failure, call);
}

Task<http::ResponseStreamPtr> Session::open(Call call, std::vector<int> fine) {
  co_return co_await async::retry<http::ResponseStreamPtr>(
      options_.backoff, [this, call, fine] { return attempt_open(call, fine); }, options_.rng);
}

Task<http::Response> Session::attempt_whole(Call call, std::vector<int> fine, std::size_t most) {
  const auto stream = co_await attempt_open(call, std::move(fine));
  const auto& head = stream->head();
  std::optional<Error> failure;
  try {
    co_return http::Response{head.status, head.reason, head.headers,
                             co_await read_body(stream.get(), options_.silence_limit, most)};
  } catch (const Error& error) {
    failure = error;
  }
  throw failed(*failure, call);
}

Task<http::Response> Session::attempt(Call call, std::vector<int> fine) {
  return attempt_whole(std::move(call), std::move(fine), kMaxAnswer);
}

Task<http::Response> Session::call(Call call, std::vector<int> fine, std::size_t most) {
  co_return co_await async::retry<http::Response>(
      options_.backoff, [=, this] { return attempt_whole(call, fine, most); }, options_.rng);
}

}  // namespace mtc::oci
