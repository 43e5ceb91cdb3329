#pragma once

#include <string>

#include "blob/store.hpp"
#include "restic/backup.hpp"
#include "restic/restore.hpp"

namespace mtc::restic::testing {

/// A repository and what is done with it, each by a process of its own as it were.
class Vault {
 public:
  /// A new repository in memory.
  Vault();
  /// One that is there.
  Vault(blob::StorePtr store, std::string password);

  struct BackedUp {
    BackupResult result;
    std::string failure;  ///< "Code: message" of what it threw
    Id id() const { return result.snapshot ? result.snapshot->id : Id{}; }
  };
  BackedUp back_up(BackupOptions options) const;
  /// With host "shop/data".
  BackedUp back_up(const std::string& root) const;

  struct Restored {
    volume::Report report;
    std::string failure;
  };
  /// Verifies too.
  Restored restore(const Id& snapshot, const std::string& root) const;
  Restored restore(RestoreOptions options) const;

  const blob::StorePtr& store() const { return store_; }

 private:
  blob::StorePtr store_;
  std::string password_;
};

}  // namespace mtc::restic::testing
