#include <algorithm>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "migrate/quiesce.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kLimit = std::chrono::minutes(30);  ///< longer than any usual terminationGracePeriod

std::vector<Subject> pods_of(kube::ClientPtr cluster, const std::vector<std::string>& namespaces) {
  std::vector<Subject> out;
  out.reserve(namespaces.size());
  for (const auto& ns : namespaces) out.push_back({cluster, kube::types::pods(), ns, ""});
  return out;
}

}  // namespace

Quiesced what_stops(const Migration& m) {
  Quiesced out{.namespaces = m.source_namespaces()};
  if (m.self.migrate_state) out.claims = m.source_claims();
  return out;
}

Task<Outcome> ensure_quiesced(Migration& m) {
  const auto pods = co_await pods_left(m.source, what_stops(m));
  if (m.flags.storage_conversion && !pods.remaining.empty()) {
    // They would go on writing to what is no more in use afterwards.
    co_return fail("MigrationFailed",
                   {fmt::format("Pods [{}] use volumes of the plan, and no workload that can be scaled owns them: stop "
                                "them, or select the action skip for their volumes.",
                                join(pods.remaining, ","))});
  }
  const auto& left = pods.stopping;
  if (left.empty()) {
    m.progress = {"No pod of the source is running any more."};
    co_return done();
  }
  if (m.in_phase() > kLimit) {
    co_return fail("MigrationFailed",
                   {fmt::format("These pods of the source did not stop within 30 minutes: {}. Applications stay scaled "
                                "down; cancel or roll back to start them again.",
                                join(left, ", "))});
  }
  m.progress.push_back(fmt::format(
      "{} pods are still running: {}", left.size(),
      join({left.begin(), left.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(left.size(), 5))}, ", ")));
  co_return wait_for(pods_of(m.source, m.source_namespaces()), std::chrono::seconds(30));
}

}  // namespace mtc::migrate
