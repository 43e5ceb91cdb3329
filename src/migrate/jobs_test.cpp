#include "migrate/jobs.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::migrate {
namespace {

using net::testing::run;
using testing::HasSubstr;

Task<backup::Outcome> nothing_to_do(backup::OnProgress) { co_return backup::Outcome{}; }
Task<backup::Outcome> refused(backup::OnProgress) {
  throw Error(Code::kForbidden, "pods is forbidden");
  co_return backup::Outcome{};
}
Task<backup::Outcome> broken(backup::OnProgress) {
  throw std::logic_error("a bug");
  co_return backup::Outcome{};
}

/// The job's last view, after it has woken who waits for it.
Task<void> see_it_end(Jobs::Work work, std::function<void(const Jobs::View&)> expect) {
  const auto jobs = co_await make_jobs();
  async::Event ended;
  jobs->ensure("backup", work, [&] { ended.set(); });
  EXPECT_TRUE(co_await ended.wait_for(std::chrono::seconds(10)));
  expect(jobs->ensure("backup", work, [] {}));
  co_await jobs->stop();
}

TEST(Jobs, TellHowTheyEnded) {
  run(see_it_end(nothing_to_do, [](const auto& view) { EXPECT_EQ(view.state, Jobs::State::kDone); }));
  run(see_it_end(refused, [](const auto& view) {
    EXPECT_EQ(view.state, Jobs::State::kFailed);
    EXPECT_EQ(view.error->code(), Code::kForbidden);
  }));
}

// A migration would wait for ever for a job whose failure nobody recorded.
TEST(Jobs, AreFailedByABugToo) {
  run(see_it_end(broken, [](const auto& view) {
    EXPECT_EQ(view.state, Jobs::State::kFailed);
    EXPECT_THAT(view.error->what(), HasSubstr("a bug"));
  }));
}

}  // namespace
}  // namespace mtc::migrate
