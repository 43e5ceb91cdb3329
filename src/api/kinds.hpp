#pragma once

#include <optional>
#include <string>
#include <vector>

#include "json/json.hpp"

namespace mtc::api {

/// An ObjectReference of which MTC uses namespace and name.
struct Ref {
  std::string ns;
  std::string name;
  /// Both are given; there is no default namespace.
  bool set() const { return !ns.empty() && !name.empty(); }
  std::string str() const { return ns + "/" + name; }
  auto operator<=>(const Ref&) const = default;
};
Ref parse_ref(const Json& object, std::string_view path);

/// spec of a MigCluster (spec api.md §3.1).
struct MigCluster {
  Ref self;
  bool is_host = false;
  std::string url;
  Ref secret;
  std::string ca_bundle;  ///< base64, as given
  bool insecure = false;
  bool refresh = false;
  std::string exposed_registry_path;
  bool ready = false;
  static MigCluster parse(const Json& object);
};

/// spec of a MigStorage (spec api.md §3.2).
struct MigStorage {
  Ref self;
  std::string uid;
  std::string provider;
  Ref credentials;
  std::string bucket, region, url, public_url, kms_key_id, signature_version;
  std::string ca_bundle;  ///< base64, as given
  bool insecure = false;
  std::string snapshot_provider;
  Ref snapshot_credentials;
  std::string snapshot_region, snapshot_timeout;
  bool refresh = false;
  bool ready = false;
  static MigStorage parse(const Json& object);
};

/// An entry of spec.namespaces: "shop" or "shop:boutique".
struct NamespaceMapping {
  std::string source;
  std::string destination;
};
NamespaceMapping parse_namespace(std::string_view entry);

/// spec of a MigPlan (spec api.md §3.3).
struct MigPlan {
  Ref self;
  std::string uid;
  Ref source, destination, storage;
  std::vector<NamespaceMapping> namespaces;
  std::vector<std::string> raw_namespaces;
  bool closed = false;
  bool refresh = false;
  bool indirect_images = false;
  bool indirect_volumes = false;
  std::size_t hooks = 0;
  Json included_resources;  ///< array of {group, kind}
  Json label_selector;      ///< null or a LabelSelector
  Json persistent_volumes;  ///< array as stored
  bool ready = false;
  static MigPlan parse(const Json& object);
};

/// Whom the pods that carry volumes run as, as a MigMigration says it: spec.runAsRoot, runAsUser, runAsGroup.
struct RunAs {
  std::optional<bool> root;
  std::optional<std::int64_t> user, group;
  /// Unless it says otherwise, they are root where a cluster allows it.
  bool may_be_root() const { return root.value_or(user.value_or(0) == 0); }
};

/// spec of a MigMigration (spec api.md §4.1).
struct MigMigration {
  Ref self;
  std::string uid;
  Ref plan;
  bool stage = false, migrate_state = false, rollback = false, canceled = false;
  bool quiesce = false, keep_annotations = false, verify = false;
  RunAs run_as;
  std::string phase;      ///< status.phase
  std::string itinerary;  ///< status.itinerary
  std::vector<std::string> errors;
  static MigMigration parse(const Json& object);
};

/// status.observedDigest of a spec: SHA-256 of its JSON in the key order and with the omissions of the original's
/// encoder (api.md §5.1).
std::string spec_digest(std::string_view kind, const Json& spec);

}  // namespace mtc::api
