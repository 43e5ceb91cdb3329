#include "migrate/indirect/moves.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/yaml.hpp"

namespace mtc::migrate::indirect {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using volumes::PodView;
using What = Move::What;

const Time kNow = *parse_rfc3339("2026-01-02T03:04:05Z");

PodView pod(std::string_view status) {
  const auto json =
      parse_yaml_one("{metadata: {namespace: shop, name: p, creationTimestamp: '2026-01-02T03:04:00Z'}, status: " +
                     std::string(status) + "}");
  return volumes::view_of(&json);
}

PodView ended(std::string_view phase, std::string_view message) {
  return pod("{phase: " + std::string(phase) +
             ", containerStatuses: [{name: rsync, state: {terminated: {exitCode: 1, reason: Error, finishedAt: "
             "'2026-01-02T03:04:04Z', message: '" +
             std::string(message) + "'}}}]}");
}

PodView done(std::string_view more = "") { return ended("Succeeded", R"({"phase":"done")" + std::string(more) + "}"); }
std::string snapshot() { return R"(,"snapshot":")" + std::string(64, 'a') + R"(")"; }

Move decide(const PodView& view, Proof proof = {}, std::int64_t attempt = 1, Time now = kNow) {
  return next_move(view, attempt, 3, proof, now);
}

TEST(StagedMove, MakesAPodAndWaitsForIt) {
  EXPECT_EQ(decide(volumes::view_of(nullptr)).what, What::kCreate);
  EXPECT_EQ(decide(pod("{phase: Pending}")).what, What::kWait);
  EXPECT_EQ(decide(pod("{phase: Running}")).what, What::kWait);
  EXPECT_EQ(decide(done()).what, What::kSucceed);
}

// Success is what the mover says, and only all of it: a claim without a snapshot, or one that nobody read back, is
// none.
TEST(StagedMove, BelievesInNoSuccessWithoutItsProof) {
  EXPECT_EQ(decide(done(snapshot()), {.snapshot = true}).what, What::kSucceed);
  for (const auto* odd : {"", R"(,"snapshot":"")", R"(,"snapshot":"abc")", R"(,"snapshot":7)"}) {
    const auto move = decide(done(odd), {.snapshot = true});
    EXPECT_EQ(move.what, What::kFail) << odd;
    EXPECT_THAT(move.cause, HasSubstr("names no snapshot"));
  }
  EXPECT_EQ(decide(done(R"(,"verified":true)"), {.verified = true}).what, What::kSucceed);
  EXPECT_THAT(decide(done(), {.verified = true}).cause, HasSubstr("was not read back"));
  EXPECT_THAT(decide(ended("Succeeded", "hello")).cause, HasSubstr("ended without a report"));
}

TEST(StagedMove, TriesAgainWhatMayWorkTheNextTime) {
  const auto killed = ended("Failed", "");
  EXPECT_EQ(decide(killed, {}, 1, kNow).what, What::kNextAttempt) << "it ended a second ago";
  EXPECT_EQ(decide(killed, {}, 2, kNow).what, What::kPause);
  EXPECT_EQ(decide(killed, {}, 2, kNow).pause, 1s);
  EXPECT_EQ(decide(killed, {}, 2, kNow + 1s).what, What::kNextAttempt);
  const auto last = decide(killed, {}, 3);
  EXPECT_EQ(last.what, What::kFail);
  EXPECT_THAT(last.cause, HasSubstr("(attempt 3 of 3)"));
}

TEST(StagedMove, GivesUpAtOnceOnWhatCanNeverWork) {
  const auto move = decide(ended("Failed", R"({"phase":"failed","message":"pack 12ab: damaged","retry":false,)"
                                           R"("differences":["a/b"]})"));
  EXPECT_EQ(move.what, What::kFail);
  EXPECT_EQ(move.cause, "Pod shop/p: pack 12ab: damaged [a/b]");
  EXPECT_EQ(decide(pod("{phase: Pending}"), {}, 1, kNow + 2h).what, What::kFail);
}

}  // namespace
}  // namespace mtc::migrate::indirect
