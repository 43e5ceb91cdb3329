#pragma once

#include <string>

#include "sandbox/objects.hpp"

// What the controllers of a cluster share. All of it for tasks of one Runtime; nothing suspends.
namespace mtc::sandbox {

/// A kind by its group-resource, "deployments.apps".
const Resource& built_in(const std::string& group_resource);

std::string name_of(const Json& object);
std::string ns_of(const Json& object);
std::string uid_of(const Json& object);
bool is_leaving(const Json& object);

/// Creates, unless somebody else was first or the namespace is going: the next look at the cluster sees it.
void try_create(Objects& objects, const Resource& resource, const std::string& ns, Json object);
/// Writes a changed copy of a stored object, whatever version it has by now. Returns it as stored.
ObjectPtr rewrite(Objects& objects, const Resource& resource, Json object, const Manner& manner = {});
/// Writes a status that is another than the object's.
void set_status(Objects& objects, const Resource& resource, const Json& object, Json status,
                const std::string& manager = "kube-controller-manager");
/// Takes a finalizer off the object as it is stored now, if both are there.
void drop_finalizer(Objects& objects, const Resource& resource, const Json& object, const std::string& finalizer);
/// Adds a finalizer to an object that is not leaving and has it not.
void add_finalizer(Objects& objects, const Resource& resource, const Json& object, const std::string& finalizer);

/// What is told about an object, by whom.
struct News {
  std::string type;  ///< "Normal" or "Warning"
  std::string reason;
  std::string message;
  std::string component;
};
/// Writes an event about a namespaced object, once for each such news of it.
void tell(Objects& objects, const Json& about, const News& news);

}  // namespace mtc::sandbox
