#include <optional>

#include <fmt/format.h>

#include "base/error.hpp"
#include "migrate/indirect/marks.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kPatience = std::chrono::minutes(5);

/// The volumes are where they belong, or the migration has ended without them: what does not go is told of, and keeps
/// it from nothing.
Outcome left_behind(Migration& m, const std::string& what) {
  m.conditions->set({.type = "VolumeHelpersNotDeleted",
                     .category = api::Category::kWarn,
                     .reason = "Failed",
                     .message = fmt::format("What the migration of volumes needed is not all gone: {}. Delete what "
                                            "carries the labels {} on both clusters.",
                                            what, indirect::helpers_of_migration(m)),
                     .durable = true});
  return done();
}

Task<Outcome> clean(Migration& m) {
  if (!m.self.keep_annotations) {
    co_await indirect::unmark(m.source, m.source_namespaces());
    co_await indirect::unmark(m.destination, m.destination_namespaces());
  }
  if (!indirect::may_have_movers(m)) co_return done();
  const auto left = co_await indirect::remove_helpers(m, indirect::places_of(m));
  if (left.empty()) co_return done();
  if (m.in_phase() > kPatience) co_return left_behind(m, volumes::names_of(left));
  const auto ours = m.self.rollback ? indirect::helpers_of_plan(m) : indirect::helpers_of_migration(m);
  co_return wait_for(volumes::subjects_of(left, ours), std::chrono::seconds(30));
}

}  // namespace

/// Marks go from both clusters, and so do movers and the Secrets with keys to the bucket.
Task<Outcome> ensure_annotations_deleted(Migration& m) {
  if (!indirect::may_have_marks(m)) co_return done();
  std::optional<Error> failure;
  try {
    co_return co_await clean(m);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure->transient() && m.in_phase() < kPatience) throw *failure;
  co_return left_behind(m, failure->what());
}

}  // namespace mtc::migrate
