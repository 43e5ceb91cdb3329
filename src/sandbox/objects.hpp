#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "sandbox/ownership.hpp"
#include "sandbox/resources.hpp"
#include "sandbox/storage.hpp"

namespace mtc::sandbox {

enum class DryRun { kNo, kYes };
enum class Part { kWhole, kStatus };

/// How an object is written: by whom, which part of it, and whether it is meant.
struct Manner {
  std::string manager = "kube-controller-manager";  ///< of the fields (ownership.hpp)
  Part part = Part::kWhole;
  DryRun dry_run = DryRun::kNo;
  std::string subresource;  ///< "status", "scale": through which the fields are owned
};

/// What happens to an object between a request and the storage: names, identity, defaults, validation, generations,
/// ownership of fields, finalizers. Throws Failure in the API server's words.
class Objects {
 public:
  Objects(Storage* storage, const Clock* clock, Rng* rng)
      : storage_(storage), resources_(storage), clock_(clock), rng_(rng) {}

  const Resources& resources() const { return resources_; }
  Storage& storage() { return *storage_; }
  const Clock& clock() const { return *clock_; }

  /// The object as a version of its kind shows it: a custom resource in the version asked for, with that schema's
  /// defaults.
  static ObjectPtr as_served(const Resource& resource, ObjectPtr object);
  /// As served. Throws a 404 Failure.
  ObjectPtr must_get(const Resource& resource, const std::string& ns, const std::string& name) const;
  ObjectPtr create(const Resource& resource, const std::string& ns, Json object, const Manner& manner = {});
  /// `object` replaces the stored one, or its status alone. A resourceVersion in it must be the stored one.
  ObjectPtr update(const Resource& resource, const std::string& ns, const std::string& name, Json object,
                   const Manner& manner = {});
  struct Applied {
    ObjectPtr object;
    bool created = false;
  };
  /// Server-side apply.
  Applied apply(const Resource& resource, const std::string& ns, const std::string& name, Json configuration,
                Force force, const Manner& manner);
  struct Removed {
    ObjectPtr object;   ///< its last state
    bool gone = false;  ///< else finalizers hold it
  };
  /// Removes, or marks for deletion while finalizers (or, for a namespace, contents) are left. `options` is
  /// DeleteOptions.
  Removed remove(const Resource& resource, const std::string& ns, const std::string& name, const Json& options);

 private:
  Address address(const Resource& resource, const std::string& ns, const std::string& name) const;
  void name_it(const Resource& resource, const std::string& ns, Json& object) const;
  void check_home(const Resource& resource, const std::string& ns, const std::string& name) const;
  ObjectPtr insert(const Resource& resource, const std::string& ns, Json object, const Manner& manner);
  /// `ownership` absent: what changed becomes the writer's.
  ObjectPtr replace(const Resource& resource, const ObjectPtr& before, Json object, const Manner& manner,
                    std::optional<Ownership> ownership);
  /// Removes the objects of a definition that is going; the last one's going lets it go.
  void clean_up(const Json& definition);
  void note_removal(const Resource& resource);
  ObjectPtr store(const Resource& resource, const Address& at, Json object);

  Storage* storage_;
  Resources resources_;
  const Clock* clock_;
  Rng* rng_;
};

/// Fills in what a real server defaults and clients notice.
void set_defaults(const Resource& resource, Json& object, Rng& rng);
/// Keeps what the server once chose for an object (a Service's addresses and ports) and an update leaves out.
void keep_allocations(const Resource& resource, const Json& before, Json& after);

/// Refuses what a real server refuses of an object that is about to be stored; `before` is null for a new one. Throws
/// Failure 422.
void validate(const Resource& resource, const Json* before, const Json& after);

/// "Deployment.apps \"web\" is invalid: …" with one cause for each. Throws Failure 422.
struct Cause {
  std::string field, reason, message;
};
[[noreturn]] void throw_invalid(const Resource& resource, const std::string& name, const std::vector<Cause>& causes);

}  // namespace mtc::sandbox
