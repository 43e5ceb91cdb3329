#include <fmt/format.h>

#include "base/strings.hpp"
#include "migrate/steps/migrated_objects.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kLimit = std::chrono::minutes(15);
constexpr std::size_t kNamed = 5;    ///< objects in a message
constexpr std::size_t kWatched = 8;  ///< whose change wakes the migration

}  // namespace

Task<Outcome> ensure_migrated_deleted(Migration& m) {
  const auto left = co_await migrated_objects(m);
  if (left.empty()) co_return done();
  std::vector<std::string> names;
  std::vector<Subject> subjects;
  for (const auto& [type, key] : left) {
    if (names.size() < kNamed) names.push_back(fmt::format("{} {}", type.group_resource(), key.str()));
    if (subjects.size() < kWatched) subjects.push_back({m.destination, type, key.ns, migrated_selector(m)});
  }
  if (m.in_phase() > kLimit) {
    co_return fail("MigrationFailed",
                   {fmt::format("{} objects of the destination are not gone after 15 minutes (finalizers?): {}.",
                                left.size(), join(names, ", "))});
  }
  m.progress.push_back(fmt::format("{} objects are being deleted: {}", left.size(), join(names, ", ")));
  co_return wait_for(std::move(subjects), std::chrono::seconds(10));
}

}  // namespace mtc::migrate
