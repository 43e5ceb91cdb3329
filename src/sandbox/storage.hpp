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

/// The objects of a cluster: a map with one revision counter, kept in SQLite, and its recent history in memory for
/// watches. Every change is durable against a killed process when the call returns (WAL). For the tasks of one Runtime;
/// calls do not suspend.
class Storage {
 public:
  /// Opens or creates `path`; ":memory:" keeps nothing. Throws Error(kUnavailable) naming the file.
  explicit Storage(const std::string& path);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::optional<Json> get(const Address& at) const;
  /// Sorted by namespace and name; `ns` "" = all namespaces. `after` skips up to and including that namespace and name;
  /// `limit` 0 = no limit.
  std::vector<Json> list(const std::string& resource, const std::string& ns,
                         const std::pair<std::string, std::string>& after = {}, std::size_t limit = 0) const;
  /// Stores, sets metadata.resourceVersion, and tells subscribers. Returns the object as stored.
  Json put(const Address& at, Json object);
  /// Removes and tells; nullopt if absent.
  std::optional<Json> erase(const Address& at);
  std::uint64_t revision() const;

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
