#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "sandbox/resources.hpp"
#include "sandbox/storage.hpp"

namespace mtc::sandbox {

enum class DryRun { kNo, kYes };
enum class Part { kWhole, kStatus };

/// What happens to an object between a request and the storage: names, identity, defaults, validation, generations,
/// finalizers. Throws Failure in the API server's words.
class Objects {
 public:
  Objects(Storage* storage, const Clock* clock, Rng* rng)
      : storage_(storage), resources_(storage), clock_(clock), rng_(rng) {}

  const Resources& resources() const { return resources_; }
  Storage& storage() { return *storage_; }

  /// Throws a 404 Failure.
  Json must_get(const Resource& resource, const std::string& ns, const std::string& name) const;
  Json create(const Resource& resource, const std::string& ns, Json object, DryRun dry_run = DryRun::kNo);
  /// `object` replaces the stored one, or its status alone. A resourceVersion in it must be the stored one.
  Json update(const Resource& resource, const std::string& ns, const std::string& name, Json object,
              Part part = Part::kWhole, DryRun dry_run = DryRun::kNo);
  /// Removes, or marks for deletion while finalizers (or, for a namespace, contents) are left. `options` is
  /// DeleteOptions.
  Json remove(const Resource& resource, const std::string& ns, const std::string& name, const Json& options);

 private:
  Address address(const Resource& resource, const std::string& ns, const std::string& name) const;
  void check(const Resource& resource, Json& object) const;
  Json store(const Resource& resource, const Address& at, Json object);

  Storage* storage_;
  Resources resources_;
  const Clock* clock_;
  Rng* rng_;
};

/// Fills in what a real server defaults and clients notice.
void set_defaults(const Resource& resource, Json& object, Rng& rng);

}  // namespace mtc::sandbox
