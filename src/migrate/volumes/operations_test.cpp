#include "migrate/volumes/operations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/yaml.hpp"

namespace mtc::migrate::volumes {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using What = Move::What;

const Time kNow = *parse_rfc3339("2026-01-02T03:04:05Z");

PodView pod(std::string_view status, std::string_view more = "") {
  const auto json = parse_yaml_one("{metadata: {namespace: shop, name: p, creationTimestamp: '2026-01-02T03:04:00Z'" +
                                   std::string(more) + "}, status: " + std::string(status) + "}");
  return view_of(&json);
}

PodView absent() { return view_of(nullptr); }
PodView pending() { return pod("{phase: Pending}"); }
PodView running() { return pod("{phase: Running, podIP: 10.0.0.1}"); }
PodView ended(std::string_view phase, std::string_view message) {
  return pod("{phase: " + std::string(phase) +
             ", containerStatuses: [{name: rsync, state: {terminated: {exitCode: 1, reason: Error, startedAt: "
             "'2026-01-02T03:04:01Z', finishedAt: '2026-01-02T03:04:04Z', message: '" +
             std::string(message) + "'}}}]}");
}
PodView done(bool verified = true) {
  return ended("Succeeded", verified ? R"({"phase":"done","verified":true,"root":"00"})" : R"({"phase":"done"})");
}
PodView broken(bool retry) {
  return ended("Failed", std::string(R"({"phase":"failed","message":"no space left: a/b","retry":)") +
                             (retry ? "true" : "false") + "}");
}
PodView killed() { return ended("Failed", ""); }

Move decide(const PodView& sender, const PodView& receiver, std::int64_t attempt = 1, Time now = kNow,
            bool must_verify = true) {
  return next_move(sender, receiver, attempt, 3, must_verify, now);
}

TEST(Operation, BringsUpTheReceiverThenTheSender) {
  EXPECT_EQ(decide(absent(), absent()).what, What::kCreateReceiver);
  EXPECT_EQ(decide(absent(), pending()).what, What::kWait);
  EXPECT_EQ(decide(absent(), pod("{phase: Running}")).what, What::kWait) << "it has no address yet";
  EXPECT_EQ(decide(absent(), running()).what, What::kCreateSender);
  EXPECT_EQ(decide(pending(), running()).what, What::kWait);
  EXPECT_EQ(decide(running(), running()).what, What::kWait);
}

TEST(Operation, SucceedsOnlyWhenBothEndsSaySo) {
  EXPECT_EQ(decide(done(), running()).what, What::kWait);
  EXPECT_EQ(decide(done(), done()).what, What::kSucceed);
  EXPECT_EQ(decide(done(false), done(true)).what, What::kSucceed) << "the receiver read it back";
  EXPECT_EQ(decide(done(), absent()).what, What::kSucceed) << "the sender heard that it was read back";
  EXPECT_EQ(decide(absent(), done()).what, What::kSucceed) << "the sender was taken away after the end";
  EXPECT_EQ(decide(done(false), done(false), 1, kNow, false).what, What::kSucceed) << "nobody asked for a proof";
}

TEST(Operation, TellsDevicesFromFiles) {
  const auto result = [](const char* line) { return dump(result_of(absent(), ended("Succeeded", line))); };
  EXPECT_EQ(result(R"({"phase":"done","files":3,"bytes":9,"verified":true,"root":"ab"})"),
            R"({"bytes":9,"files":3,"root":"ab","verified":true})");
  EXPECT_EQ(result(R"({"phase":"done","files":1,"bytes":9,"verified":true,"root":"ab","device":true})"),
            R"({"bytes":9,"device":true,"root":"ab","verified":true})");
  EXPECT_EQ(result(R"({"phase":"done","files":3,"bytes":9,"movedBytes":4})"),
            R"({"bytes":9,"files":3,"movedBytes":4,"verified":false})");
}

TEST(Operation, NeverTakesAnUnprovenCutoverForACopy) {
  EXPECT_EQ(decide(done(false), done(false)).what, What::kFail);
  EXPECT_NE(decide(done(false), absent()).what, What::kSucceed);
  EXPECT_NE(decide(absent(), done(false)).what, What::kSucceed);
  // An image that is no mover ends well and has done nothing.
  const auto other = decide(ended("Succeeded", "hello"), running());
  EXPECT_EQ(other.what, What::kFail);
  EXPECT_THAT(other.cause, HasSubstr("RSYNC_TRANSFER_IMAGE"));
}

TEST(Operation, WhatCanNeverWorkFailsAtOnceWithItsCause) {
  const auto move = decide(broken(false), running());
  EXPECT_EQ(move.what, What::kFail);
  EXPECT_EQ(move.cause, "Pod shop/p: no space left: a/b");
  EXPECT_EQ(decide(running(), broken(false)).what, What::kFail);
  const auto by_receiver = decide(killed(), broken(false));
  EXPECT_EQ(by_receiver.what, What::kFail) << "the receiver knows why the sender was cut off";
  EXPECT_THAT(by_receiver.cause, HasSubstr("no space left"));
}

TEST(Operation, AnAttemptThatFailedIsClearedThenTriedAgainAfterAPause) {
  EXPECT_EQ(decide(killed(), running()).what, What::kClear);
  EXPECT_EQ(decide(running(), broken(true)).what, What::kClear);
  EXPECT_EQ(decide(killed(), absent(), 1, kNow).what, What::kNextAttempt) << "a second has passed";
  const auto second = decide(killed(), absent(), 2, kNow);
  EXPECT_EQ(second.what, What::kPause);
  EXPECT_EQ(second.pause, 1s) << "two seconds after its end, one of which has passed";
  EXPECT_EQ(decide(killed(), absent(), 2, kNow + 1s).what, What::kNextAttempt);
}

TEST(Operation, TheLastAttemptThatFailsNamesItsCause) {
  const auto last = decide(killed(), running(), 3);
  EXPECT_EQ(last.what, What::kFail);
  EXPECT_EQ(last.cause, "Pod shop/p: it ended with exit code 1 (Error) (attempt 3 of 3)");
}

TEST(Operation, ASenderWithoutAReceiverStartsAnew) {
  EXPECT_EQ(decide(running(), absent()).what, What::kClear);
  EXPECT_EQ(decide(absent(), pod("{phase: Running, podIP: 1.2.3.4}", ", deletionTimestamp: x")).what, What::kWait)
      << "it is about to go";
}

TEST(Operation, APodThatNeverStartsIsGivenUpWithItsReason) {
  const auto stuck = pod(
      "{phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: no node}]}");
  EXPECT_EQ(decide(absent(), stuck).what, What::kWait);
  const auto move = decide(absent(), stuck, 1, kNow + 61min);
  EXPECT_EQ(move.what, What::kFail);
  EXPECT_THAT(move.cause, HasSubstr("Unschedulable: no node"));
}

TEST(Operation, IsRememberedInTheStatus) {
  Copying c;
  Json status = Json::object();
  c.status = &status;
  c.self.claims = {{.source = {"shop", "a"}, .target = {}}, {.source = {"shop", "b"}, .target = {}}};
  auto operations = read_operations(c);
  ASSERT_EQ(operations.size(), 2U);
  EXPECT_EQ(operations[1].attempt, 0);
  operations[1].attempt = 3;
  operations[1].failed = true;
  write_operations(operations, status);
  EXPECT_EQ(dump(status), R"({"rsyncOperations":[{"currentAttempt":0,"pvcReference":{"name":"a","namespace":"shop"}},)"
                          R"({"currentAttempt":3,"failed":true,"pvcReference":{"name":"b","namespace":"shop"}}]})");
  EXPECT_EQ(read_operations(c)[1].attempt, 3);
  EXPECT_TRUE(read_operations(c)[1].failed);
}

TEST(MoverReport, IsBoundedAndTakesNothingElse) {
  EXPECT_FALSE(parse_report("copying…"));
  EXPECT_FALSE(parse_report("{\"percent\": 3}"));
  EXPECT_FALSE(parse_report(std::string(100000, '[')));
  const auto report = parse_report(R"({"phase":"copying","percent":4200,"rate":"1.00MB/s","message":")" +
                                   std::string(5000, 'x') + "\"}");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->percent, 100);
  EXPECT_LT(report->message.size(), 2100U);
  EXPECT_TRUE(report->retry) << "unless it says otherwise";
}

TEST(Settings, AttemptsAreTheOperatorsElseTheSpecsElseTwenty) {
  const auto with = [](const char* value) {
    return Settings::from(
        [=](const char* name) { return std::string_view(name) == "RSYNC_BACKOFF_LIMIT" ? value : nullptr; });
  };
  EXPECT_EQ(attempts_of(with(nullptr), 0), 20);
  EXPECT_EQ(attempts_of(with(nullptr), 7), 7);
  EXPECT_EQ(attempts_of(with("3"), 7), 3);
  EXPECT_EQ(attempts_of(with("0"), 7), 7);
  EXPECT_EQ(attempts_of(with("many"), 0), 20);
}

}  // namespace
}  // namespace mtc::migrate::volumes
