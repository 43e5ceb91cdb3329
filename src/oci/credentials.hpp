#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "oci/reference.hpp"

namespace mtc::oci {

/// Who asks. At most one of the three ways is used: a registry token, or else an identity token, or else name and
/// password.
struct Credential {
  std::string username = {};
  Secret password = {};
  Secret identity_token = {};  ///< an OAuth 2 refresh token, which token servers give access tokens for
  Secret registry_token = {};  ///< is sent as it is, as a bearer token

  bool operator==(const Credential&) const = default;
};

/// The token of a service account as OpenShift's registry takes it: the password of a user whose name does not matter.
Credential service_account(Secret token);

/// Credentials by registry and path, from pull secrets.
class Keyring {
 public:
  /// The text of a config.json of Docker, or of a Secret's .dockerconfigjson: {"auths": {…}}. Programs that it names as
  /// credential helpers are not run. Throws Error(kCorrupt) for text that is none, without quoting it: it holds
  /// secrets.
  static Keyring of_config_json(std::string_view text);
  /// The text of a Secret's .dockercfg, which has no "auths" around it.
  static Keyring of_dockercfg(std::string_view text);

  /// What `other` holds is tried after what is here.
  void add(Keyring other);
  /// What may be tried for `image`, best first, by the rules of Kubernetes: host and port are equal, where each label
  /// of the host may be a pattern ("*.example.com"); a path begins the repository; a longer path comes first. What was
  /// stored for index.docker.io also counts for images of Docker Hub, if nothing else does.
  std::vector<Credential> lookup(const Reference& image) const;

 private:
  struct Entry {
    std::string host;  ///< may have patterns
    std::string port;
    std::string path;  ///< "" or beginning with '/'
    Credential credential;
  };
  using Ring = std::vector<Entry>;  ///< of one text; in the order in which they are tried
  static Ring ring_of(std::string_view json, std::string_view member);
  static Entry entry_of(std::string_view location, Credential credential);
  static std::vector<Credential> lookup_in(const Ring& ring, const Reference& image);

  std::vector<Ring> rings_;
};

}  // namespace mtc::oci
