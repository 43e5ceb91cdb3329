#pragma once

#include <set>
#include <string>

#include "api/volume_migration.hpp"
#include "migrate/migration.hpp"
#include "migrate/volumes/destination.hpp"
#include "migrate/volumes/relays.hpp"
#include "migrate/volumes/settings.hpp"

namespace mtc::migrate::volumes {

/// Everything a step of a DirectVolumeMigration works with. Lives for one pass; steps take it by reference.
struct Copying {
  api::DirectVolumeMigration self;
  kube::ClientPtr host, source, destination;
  const Clock* clock = nullptr;
  api::Conditions* conditions = nullptr;
  Json* status = nullptr;  ///< of the DirectVolumeMigration, to be stored after the step
  Time phase_since{};      ///< when the current phase was entered
  Settings settings;
  Relays* relays = nullptr;
  api::RunAs run_as;  ///< of the MigMigration that wants it

  std::set<std::string> source_namespaces() const;
  std::set<std::string> destination_namespaces() const;
  /// How long the current phase has lasted.
  Duration in_phase() const { return clock->now() - phase_since; }
  /// Nothing writes to the source any more: what differs afterwards was not copied right.
  bool is_cutover() const { return self.type == api::CopyType::kCutOver; }
};

// Names and labels of the helpers. All of them hold the UID of the DirectVolumeMigration, or digits made from it: two
// of them in one namespace never meet, and a killed controller never makes a second one of anything.

Maker maker_of(const Copying& c);
/// What it makes on the destination.
Destination destination_of(const Copying& c);
/// Labels of everything that belongs to this DirectVolumeMigration (spec direct-volume.md §1).
Json helper_labels(const Copying& c);
/// Of the sending pod's `attempt` for a claim.
Json sender_labels(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt);
/// Of the receiving pod's.
Json receiver_labels(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt);
/// Finds the receiving pod, whichever attempt it is of.
Json receiver_selector(const Copying& c, const api::ClaimCopy& claim);
/// "directvolumemigration=<uid>".
std::string selector_of(const Copying& c);

std::string sender_name(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt);
std::string receiver_name(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt);
std::string service_name(const Copying& c, const api::ClaimCopy& claim);
std::string sender_secret(const Copying& c);
std::string receiver_secret(const Copying& c);
/// Of the DirectVolumeMigrationProgress (spec direct-volume.md §12.1).
std::string progress_name(const Copying& c, const api::ClaimCopy& claim);
/// Lower-case hexadecimal MD5, as the original writes names into labels.
std::string md5_hex(const std::string& text);

inline constexpr auto kAppLabel = "app";
inline constexpr auto kApp = "directvolumemigration-rsync-transfer";
inline constexpr int kPort = 6443;

}  // namespace mtc::migrate::volumes
