#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "json/json.hpp"
#include "kube/resource.hpp"
#include "net/stream.hpp"

namespace mtc::kube {

enum class DryRun { kNo, kYes };
enum class Propagation { kBackground, kForeground, kOrphan };
enum class PatchKind { kMerge, kJson, kStrategic, kApply };

struct WriteOptions {
  DryRun dry_run = DryRun::kNo;
  std::string field_manager = "mtc";
  std::string subresource;  ///< "", "status", "scale"
  bool force = false;       ///< kApply: take over fields of other managers
};

struct DeleteOptions {
  Propagation propagation = Propagation::kBackground;
  std::string uid;  ///< delete only the object of this uid; kConflict otherwise
  std::optional<std::int64_t> grace_seconds;
};

struct ListOptions {
  std::string label_selector;
  std::string field_selector;
  std::uint32_t limit = 500;  ///< objects a page; 0 = no paging
  std::string continue_token;
  std::string resource_version;  ///< "0" = whatever the server's cache holds (never waits)
};

struct ListPage {
  std::vector<Json> items;     ///< apiVersion and kind are filled in, which lists leave out
  std::string continue_token;  ///< "" on the last page
  std::string resource_version;
};

struct WatchOptions {
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;  ///< events after this one
};

struct WatchEvent {
  enum class Type { kAdded, kModified, kDeleted, kBookmark } type = Type::kAdded;
  Json object;
};

/// How much of a pod's log is read.
struct LogOptions {
  std::string container;                   ///< "" = the only one
  std::uint32_t tail_lines = 100;          ///< the last ones
  std::uint32_t limit_bytes = 256 * 1024;  ///< of those lines, from the first; the rest is left out
};

/// An open watch. Dropping it closes the connection.
class Watch {
 public:
  virtual ~Watch() = default;
  /// The next event; nullopt when the server ended the watch in an orderly way (watch again from the last
  /// resourceVersion). Throws Error(kExpired) for 410: list again. Throws Error(kUnavailable) for a broken connection.
  virtual Task<std::optional<WatchEvent>> next() = 0;
};

struct ServerVersion {
  int major = 0;
  int minor = 0;
  std::string git_version;
};

/// What the API server serves: aggregated discovery, or group by group where that is not served.
class Discovery {
 public:
  struct Entry {
    ResourceType type;
    std::vector<std::string> verbs;
    std::vector<std::string> short_names;
    std::string singular;
    bool preferred = false;  ///< the group's preferred version
    bool can(std::string_view verb) const;
  };
  explicit Discovery(std::vector<Entry> entries, std::vector<std::string> failed_groups = {});
  const std::vector<Entry>& entries() const { return entries_; }
  /// Groups whose discovery failed (an aggregated API server that is down): "metrics.k8s.io/v1beta1: …".
  const std::vector<std::string>& failed_groups() const { return failed_groups_; }
  /// The entry of a kind in any served version, the preferred one first; nullptr if not served.
  const Entry* find_kind(std::string_view group, std::string_view kind) const;
  /// By plural, singular, short name or kind, with or without ".group": what kubectl accepts; nullptr if not served.
  const Entry* find_name(std::string_view name) const;
  /// By group and plural, preferred version first.
  const Entry* find_resource(std::string_view group, std::string_view plural) const;
  /// Exactly that version.
  const Entry* find_exact(std::string_view group, std::string_view version, std::string_view plural) const;

 private:
  std::vector<Entry> entries_;
  std::vector<std::string> failed_groups_;
};

/// A cluster. The seam of all Kubernetes I/O; for tasks of one Runtime; methods may run concurrently.
///
/// Failures are Errors whose code follows the Status of the API server (docs: kube/status.hpp): kNotFound,
/// kAlreadyExists, kConflict, kForbidden, kUnauthorized, kInvalid, kExpired, kThrottled, kUnavailable, kTimeout, kTls;
/// the message is the server's own, with method and object in front. Reads and idempotent writes are retried on
/// transient failures (decorator retrying()), 429 and Retry-After are honoured, and requests wait for the cluster's
/// rate limit. Every call has a deadline.
class Client {
 public:
  virtual ~Client() = default;

  /// nullopt if the object, or its kind, is absent (404).
  virtual Task<std::optional<Json>> get(ResourceType type, ObjectKey key) = 0;
  virtual Task<ListPage> list(ResourceType type, std::string ns, ListOptions options) = 0;
  /// The object as stored. metadata.generateName works.
  virtual Task<Json> create(ResourceType type, Json object, WriteOptions options = {}) = 0;
  /// Replaces the object; kConflict if its resourceVersion is stale.
  virtual Task<Json> update(ResourceType type, Json object, WriteOptions options = {}) = 0;
  virtual Task<Json> patch(ResourceType type, ObjectKey key, PatchKind kind, Json patch, WriteOptions options = {}) = 0;
  /// False if it was absent already.
  virtual Task<bool> remove(ResourceType type, ObjectKey key, DeleteOptions options = {}) = 0;
  virtual Task<void> remove_collection(ResourceType type, std::string ns, ListOptions what,
                                       DeleteOptions options = {}) = 0;
  virtual Task<std::unique_ptr<Watch>> watch(ResourceType type, std::string ns, WatchOptions options) = 0;

  /// What a container of a pod has printed (stdout and stderr), the end of it; "" while it has printed nothing, also
  /// because it has not started. nullopt if the pod is absent. Throws kInvalid for a container that the pod has not.
  virtual Task<std::optional<std::string>> log(ObjectKey pod, LogOptions options = {}) = 0;

  /// Connects to a port of a pod by way of its API server and its node (pods/portforward; Kubernetes asks for the verb
  /// get, from 1.35 on for create too). That nobody listens there shows at the first read: Error(kUnavailable). Throws
  /// kNotFound for an absent pod, kUnsupported if what answers speaks no WebSocket.
  virtual Task<net::StreamPtr> port_forward(ObjectKey pod, std::uint16_t port) = 0;

  /// Cached; `refresh` asks again.
  enum class Refresh { kNo, kYes };
  virtual Task<std::shared_ptr<const Discovery>> discovery(Refresh refresh = Refresh::kNo) = 0;
  virtual Task<ServerVersion> version() = 0;
  /// Any other request: "GET", "/openapi/v2". Returns the parsed body.
  virtual Task<Json> raw(std::string method, std::string target, std::optional<Json> body = std::nullopt) = 0;

  /// The API server's URL.
  virtual const std::string& url() const = 0;
};
using ClientPtr = std::shared_ptr<Client>;

/// get() that throws Error(kNotFound) naming the object.
Task<Json> must_get(Client& client, ResourceType type, ObjectKey key);
/// All pages, handed on one object at a time, so that memory stays at one page. Starts over on kExpired in the middle
/// is the caller's: objects already handed on may come again after a kExpired.
Task<void> for_each(Client& client, ResourceType type, std::string ns, ListOptions options,
                    std::function<Task<void>(Json)> visit);
/// All pages in one vector, for lists known to be short.
Task<std::vector<Json>> list_all(Client& client, ResourceType type, std::string ns, ListOptions options = {});
/// Reads, lets `change` modify, and updates; again on kConflict, up to 10 times. `change` returns false to leave it as
/// it is. nullopt if the object is absent.
Task<std::optional<Json>> modify(Client& client, ResourceType type, ObjectKey key, std::function<bool(Json&)> change);
/// Creates, or returns the existing object; second = true if created now.
Task<std::pair<Json, bool>> ensure(Client& client, ResourceType type, Json object);

}  // namespace mtc::kube
