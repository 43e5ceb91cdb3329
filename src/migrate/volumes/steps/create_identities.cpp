#include <set>

#include "api/names.hpp"
#include "base/encoding.hpp"
#include "migrate/volumes/helpers.hpp"
#include "migrate/volumes/steps/steps.hpp"
#include "net/tls.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr auto kLifetime = std::chrono::hours(24 * 30);
constexpr auto kSenderName = "mtc-sender";
constexpr auto kReceiverName = "mtc-receiver";

/// A Secret to be: where, and which of the two ends it is for.
struct Place {
  kube::ClientPtr cluster;
  std::string ns, name;
  const char* end;
};

std::vector<Place> places(const Copying& c) {
  std::vector<Place> out;
  for (const auto& ns : c.source_namespaces()) out.push_back({c.source, ns, sender_secret(c), kSenderName});
  for (const auto& ns : c.destination_namespaces())
    out.push_back({c.destination, ns, receiver_secret(c), kReceiverName});
  return out;
}

/// Whether every Secret is there, and of one authority.
Task<bool> are_complete(Copying& c) {
  std::set<std::string> authorities;
  for (const auto& place : places(c)) {
    const auto secret = co_await place.cluster->get(kube::types::secrets(), {place.ns, place.name});
    if (!secret) co_return false;
    const auto* ca = member(object_at(*secret, "data"), "ca.crt");
    authorities.insert(ca != nullptr ? dump(*ca) : "");
  }
  co_return authorities.size() <= 1;
}

Json secret_of(const Copying& c, const Place& place, const net::Certificate& ca, const net::Certificate& own) {
  const Json data = {{"ca.crt", base64_encode(ca.cert_pem)},
                     {"tls.crt", base64_encode(own.cert_pem)},
                     {"tls.key", base64_encode(own.key_pem.reveal())}};
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"type", "kubernetes.io/tls"},
          {"metadata", {{"namespace", place.ns}, {"name", place.name}, {"labels", helper_labels(c)}}},
          {"data", data}};
}

}  // namespace

/// The authority's own key is in no Secret: once the certificates are issued, nobody can issue more. So if a run of
/// this step was cut short, all of them are made anew; no pod uses one yet.
Task<Outcome> create_identities(Copying& c) {
  if (co_await are_complete(c)) co_return done();
  const auto ca = net::make_ca("mtc direct volume migration", c.clock->now());
  for (const auto& place : places(c)) {
    co_await place.cluster->remove(kube::types::secrets(), {place.ns, place.name});
    const auto own = net::issue_certificate(ca, place.end, {place.end}, {}, c.clock->now(), kLifetime);
    co_await ensure_ours(place.cluster, kube::types::secrets(), secret_of(c, place, ca, own));
  }
  co_return done();
}

}  // namespace mtc::migrate::volumes
