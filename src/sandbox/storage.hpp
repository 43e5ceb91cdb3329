#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "json/json.hpp"

namespace mtc::sandbox {

/// Where an object lives. `resource` is the group-resource, "deployments.apps".
struct Address {
  std::string resource;
  std::string ns;
  std::string name;
  auto operator<=>(const Address&) const = default;
};

/// What happened to an object at one revision.
struct Event {
  enum class Type { kAdded, kModified, kDeleted } type = Type::kAdded;
  std::uint64_t revision = 0;
  Address at;
  std::shared_ptr<const Json> object;    ///< after; for kDeleted the last state, with the revision of the deletion
  std::shared_ptr<const Json> previous;  ///< before; null for kAdded
};

/// A stored object: shared, never changed. Null = absent.
using ObjectPtr = std::shared_ptr<const Json>;

/// The objects of a cluster: a map with one revision counter, held in memory, written through to SQLite, with its
/// recent history for watches and for lists as they were. Every change is durable against a killed process when the
/// call returns (WAL). For the tasks of one Runtime; calls do not suspend.
class Storage {
 public:
  /// Opens or creates `path`; ":memory:" keeps nothing. Throws Error(kUnavailable) naming the file.
  explicit Storage(const std::string& path);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  ObjectPtr get(const Address& at) const;
  /// Sorted by namespace and name; `ns` "" = all namespaces.
  std::vector<ObjectPtr> list(const std::string& resource, const std::string& ns) const;
  /// As the list was at `revision`; nullopt if that history is no longer kept.
  std::optional<std::vector<ObjectPtr>> list_at(const std::string& resource, const std::string& ns,
                                                std::uint64_t revision) const;
  /// Stores, sets metadata.resourceVersion, and tells subscribers. Returns the object as stored.
  ObjectPtr put(const Address& at, Json object);
  /// Removes and tells; null if absent.
  ObjectPtr erase(const Address& at);
  std::uint64_t revision() const;
  /// The revision of the last change of a resource; 0 if none is known.
  std::uint64_t changed(const std::string& resource) const;

  /// Events after `revision`, oldest first; nullopt if that history is no longer kept.
  std::optional<std::vector<Event>> since(std::uint64_t revision) const;
  /// Calls `listener` for each event until unsubscribed.
  int subscribe(std::function<void(const Event&)> listener);
  void unsubscribe(int id);

  /// Small settings beside the objects: keys and certificates.
  std::string setting(const std::string& name) const;
  void set_setting(const std::string& name, const std::string& value);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mtc::sandbox
