#include <fmt/format.h>

#include "migrate/volumes/helpers.hpp"
#include "migrate/volumes/steps/steps.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr auto kPatience = std::chrono::minutes(5);

void tell_of_leftovers(Copying& c, const std::string& which) {
  c.conditions->set(
      {.type = "FailedDeletingRsyncPods",
       .category = api::Category::kWarn,
       .reason = "Failed",
       .message = fmt::format("Helpers of the transfer are not gone after 5 minutes{}. Delete what carries "
                              "the label {} on both clusters before the applications need their volumes.",
                              which, selector_of(c)),
       .durable = true});
}

}  // namespace

/// The volumes are copied by then: helpers that do not go, on a node that is lost, are told of and left behind.
Task<Outcome> wait_for_resources_deleted(Copying& c) {
  const auto left = co_await helpers(c, selector_of(c));
  if (left.empty()) co_return done();
  if (c.in_phase() > kPatience) {
    tell_of_leftovers(c, ": " + names_of(left));
    co_return done();
  }
  co_return wait_for(subjects_of(left, selector_of(c)), std::chrono::seconds(30));
}

/// A cluster that cannot be reached does not keep the migration from ending.
Task<Outcome> clean_up_failed(Copying& c) {
  if (c.in_phase() > kPatience) {
    tell_of_leftovers(c, "");
    co_return done();
  }
  const auto left = co_await helpers(c, selector_of(c));
  if (left.empty()) co_return done();
  co_await remove(left);
  co_return co_await wait_for_resources_deleted(c);
}

}  // namespace mtc::migrate::volumes
