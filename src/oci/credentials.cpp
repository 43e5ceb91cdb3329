#include "oci/credentials.hpp"

#include <algorithm>
#include <cstddef>
#include <fnmatch.h>
#include <optional>
#include <utility>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"

namespace mtc::oci {
namespace {

constexpr std::string_view kDockerHub = "index.docker.io";

[[noreturn]] void refuse(std::string_view why) {
  throw Error(Code::kCorrupt, "the credentials of registries cannot be read: " + std::string(why));
}

/// "user:password" in base64, padded or not, as Kubernetes reads it.
void take_auth(Credential& into, std::string_view field) {
  std::string text(trim(field));
  while (text.size() % 4 != 0) text += '=';
  auto decoded = base64_decode(text).value_or("");
  const auto colon = decoded.find(':');
  if (colon == std::string::npos) refuse("an \"auth\" is not user:password in base64");
  into.username = decoded.substr(0, colon);
  auto password = decoded.substr(colon + 1);
  while (password.ends_with('\0')) password.pop_back();  // Docker pads it
  into.password = Secret(std::move(password));
}

Credential credential_of(const Json& entry) {
  Credential out;
  out.username = string_at(entry, "username");
  out.password = Secret(string_at(entry, "password"));
  if (const auto auth = string_at(entry, "auth"); !auth.empty()) take_auth(out, auth);
  out.identity_token = Secret(string_at(entry, "identitytoken"));
  out.registry_token = Secret(string_at(entry, "registrytoken"));
  return out;
}

Json parsed(std::string_view text) {
  std::optional<Json> json;
  try {
    json = parse_json(text);
  } catch (const Error&) {  // Its text quotes what may be a secret.
  }
  if (!json || !json->is_object()) refuse("they are no JSON object");
  return *json;
}

struct Host {
  std::string name, port;
};

Host host_of(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) return {std::string(text), ""};
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

/// Label by label: a "*" does not reach over a dot.
bool host_matches(const std::string& pattern, const std::string& host) {
  const auto patterns = split(pattern, '.'), labels = split(host, '.');
  if (patterns.size() != labels.size()) return false;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (fnmatch(patterns[i].c_str(), labels[i].c_str(), 0) != 0) return false;
  }
  return true;
}

}  // namespace

Credential service_account(Secret token) {
  Credential out;
  out.username = "unused";
  out.password = std::move(token);
  return out;
}

Keyring Keyring::of_config_json(std::string_view text) {
  Keyring out;
  out.rings_.push_back(ring_of(text, "auths"));
  return out;
}

Keyring Keyring::of_dockercfg(std::string_view text) {
  Keyring out;
  out.rings_.push_back(ring_of(text, ""));
  return out;
}

Keyring::Ring Keyring::ring_of(std::string_view text, std::string_view member_name) {
  Ring ring;
  const auto json = parsed(text);
  const auto* entries = member_name.empty() ? &json : member(json, member_name);
  if (entries == nullptr) return ring;
  if (!entries->is_object()) refuse("\"auths\" is no object");
  for (const auto& [location, entry] : entries->items()) {
    if (!entry.is_object()) refuse("an entry is no object");
    auto credential = credential_of(entry);
    if (credential != Credential{}) ring.push_back(entry_of(location, std::move(credential)));
  }
  const auto key = [](const Entry& entry) {
    return entry.host + (entry.port.empty() ? "" : ":") + entry.port + entry.path;
  };
  std::ranges::sort(ring, std::greater{}, key);
  return ring;
}

/// /v1/ and /v2/ of an address are those of the protocol, no path of images.
Keyring::Entry Keyring::entry_of(std::string_view location, Credential credential) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (location.starts_with(scheme)) location.remove_prefix(scheme.size());
  }
  const auto slash = std::min(location.find('/'), location.size());
  auto path = location.substr(slash);
  if (path.starts_with("/v1/") || path.starts_with("/v2/")) path.remove_prefix(3);
  if (path == "/") path = {};
  auto [host, port] = host_of(location.substr(0, slash));
  return {std::move(host), std::move(port), std::string(path), std::move(credential)};
}

void Keyring::add(Keyring other) {
  rings_.insert(rings_.end(), std::make_move_iterator(other.rings_.begin()),
                std::make_move_iterator(other.rings_.end()));
}

std::vector<Credential> Keyring::lookup_in(const Ring& ring, const Reference& image) {
  std::vector<Credential> out;
  const auto [host, port] = host_of(image.registry);
  for (const auto& entry : ring) {
    const bool matches =
        entry.port == port && ("/" + image.repository).starts_with(entry.path) && host_matches(entry.host, host);
    if (matches) out.push_back(entry.credential);
  }
  if (!out.empty() || image.registry != "docker.io") return out;
  for (const auto& entry : ring) {
    if (entry.host == kDockerHub && entry.port.empty() && entry.path.empty()) out.push_back(entry.credential);
  }
  return out;
}

std::vector<Credential> Keyring::lookup(const Reference& image) const {
  std::vector<Credential> out;
  for (const auto& ring : rings_) {
    for (auto& one : lookup_in(ring, image)) {
      if (std::ranges::find(out, one) == out.end()) out.push_back(std::move(one));
    }
  }
  return out;
}

}  // namespace mtc::oci
