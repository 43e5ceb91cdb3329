#pragma once

#include <functional>
#include <string>

#include "base/error.hpp"
#include "kube/client.hpp"

namespace mtc::kube {

struct Change {
  enum class Type { kAdded, kModified, kDeleted, kSynced } type = Type::kAdded;
  Json object;  ///< null for kSynced
};

/// Follows all objects of a type: lists, reports each as kAdded, then kSynced once, then watches with bookmarks.
/// Reconnects after broken connections, lists again after 410 and reports what changed meanwhile (deletions too). Keeps
/// only uid and resourceVersion of each object. An absent kind (404) is looked for again with back-off. Runs until
/// cancelled; other Errors are logged and retried with back-off, and handed to `on_error` if given.
Task<void> follow(ClientPtr client, ResourceType type, std::string ns, WatchOptions options,
                  std::function<void(Change)> on_change, std::function<void(const Error&)> on_error = {});

/// Waits until `done` says so of the object (nullopt = absent) or `limit` passes; watches, never polls. Returns whether
/// `done` did.
Task<bool> wait_until(ClientPtr client, ResourceType type, ObjectKey key, Duration limit,
                      std::function<bool(const std::optional<Json>&)> done);

}  // namespace mtc::kube
