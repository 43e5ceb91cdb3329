#include <utility>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "mover/mover.hpp"

namespace mtc::mover {
namespace {

constexpr auto kHandshake = std::chrono::seconds(30);

Task<void> open_lane(const SendOptions* options, const net::TlsClient* tls, net::ConnectorPtr connector,
                     volume::FramesPtr* into) {
  auto transport = co_await connector->connect(options->to);
  auto secured = co_await async::with_timeout(kHandshake, "TLS handshake with " + net::text_of(options->to),
                                              tls->handshake(std::move(transport), options->to.host));
  *into = std::make_unique<volume::Frames>(std::move(secured));
}

Task<volume::Report> send_once(const SendOptions* options, const net::TlsClient* tls, net::ConnectorPtr connector,
                               bool again) {
  std::vector<volume::FramesPtr> lanes(options->lanes);
  std::vector<Task<void>> opening;
  opening.reserve(lanes.size());
  for (auto& lane : lanes) opening.push_back(open_lane(options, tls, connector, &lane));
  co_await async::all(std::move(opening));
  co_return co_await volume::send_tree({options->root, options->wishes, options->compression, again}, std::move(lanes));
}

}  // namespace

Task<volume::Report> send(SendOptions options, net::ConnectorPtr connector) {
  if (options.lanes == 0 || options.passes == 0) throw Error(Code::kInvalid, "a mover needs connections and a pass");
  net::TlsClientOptions tls_options;
  tls_options.ca_pem = options.identity.ca_pem;
  tls_options.cert_pem = options.identity.certificate.cert_pem;
  tls_options.key_pem = options.identity.certificate.key_pem;
  tls_options.server_name = options.server_name;
  const net::TlsClient tls(std::move(tls_options));
  for (unsigned pass = 1;; ++pass) {
    const bool again = pass < options.passes;
    auto report = co_await send_once(&options, &tls, connector, again);
    if (report.changed_count == 0 || !again) co_return report;
  }
}

}  // namespace mtc::mover
