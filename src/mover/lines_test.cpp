#include "mover/lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/json.hpp"

namespace mtc::mover {
namespace {

using ::testing::HasSubstr;

TEST(Lines, WriteARateAsRsyncDoes) {
  EXPECT_EQ(rate_text(0), "0.00kB/s");
  EXPECT_EQ(rate_text(12.34 * 1024 * 1024), "12.34MB/s");
  EXPECT_EQ(rate_text(3.5 * 1024 * 1024 * 1024), "3.50GB/s");
}

TEST(Lines, SayHowFarItIs) {
  volume::Progress progress;
  std::vector<std::string> lines;
  Reporter reporter(&progress, [&](std::string_view line) { lines.emplace_back(line); });
  reporter.say("one");
  reporter.say("two");
  reporter.print();
  auto line = parse_json(lines.back());
  EXPECT_EQ(line["phase"], "connecting");
  EXPECT_EQ(line["message"], "one; two");
  EXPECT_EQ(line["percent"], 0);
  EXPECT_FALSE(line.contains("way"));
  EXPECT_FALSE(line.contains("failedWays"));

  reporter.take("relay", {"connect to 10.0.0.1:6443: Connection refused"});
  progress.begin();
  progress.found(4, 1000);
  progress.counted = true;
  progress.settle(2, 500);
  progress.stage = volume::Stage::kCopying;
  reporter.print();
  line = parse_json(lines.back());
  EXPECT_EQ(line["phase"], "copying");
  EXPECT_EQ(line["percent"], 50);
  EXPECT_EQ(line["way"], "relay");
  EXPECT_EQ(dump(line["failedWays"]), R"(["connect to 10.0.0.1:6443: Connection refused"])");
  EXPECT_EQ(line["files"], 2);
  EXPECT_EQ(line["filesTotal"], 4);
  EXPECT_EQ(line["bytes"], 500);
  EXPECT_EQ(line["bytesTotal"], 1000);

  progress.begin();  // The connection broke: what was done is found again, and the percentage does not go back.
  reporter.print();
  EXPECT_EQ(parse_json(lines.back())["percent"], 50);
  const auto said = lines.size();
  reporter.print();
  EXPECT_EQ(lines.size(), said) << "nothing new";
}

volume::Report report() {
  volume::Report report;
  report.files = 2;
  report.verified = true;
  report.source_root = report.destination_root = std::string(32, '\x01');
  return report;
}

TEST(Outcome, IsDoneWhenBothTreesAreOne) {
  const auto outcome = outcome_of(report());
  EXPECT_TRUE(outcome.done);
  EXPECT_TRUE(outcome.verified);
  volume::Progress progress;
  progress.settle(2, 900);
  progress.move(300);
  const auto line = parse_json(last_line(outcome, progress, 4096));
  EXPECT_EQ(line["phase"], "done");
  EXPECT_EQ(line["bytes"], 900);
  EXPECT_EQ(line["movedBytes"], 300) << "the others were found in place";
  EXPECT_EQ(line["percent"], 100);
  EXPECT_EQ(line["verified"], true);
  EXPECT_EQ(line["root"].get<std::string>().size(), 64U);
}

TEST(Outcome, SaysThatItIsADevice) {
  auto moved = report();
  EXPECT_FALSE(parse_json(last_line(outcome_of(moved), volume::Progress(), 4096)).contains("device"));
  moved.device = 4096;
  EXPECT_EQ(parse_json(last_line(outcome_of(moved), volume::Progress(), 4096))["device"], true);
}

TEST(Outcome, NamesWhatDiffers) {
  auto bad = report();
  bad.differing = 2;
  bad.differences = {{"a\nb", "content"}, {"c", "mode"}};
  bad.destination_root = std::string(32, '\x02');
  const auto outcome = outcome_of(bad);
  EXPECT_FALSE(outcome.done);
  EXPECT_FALSE(outcome.retry);
  EXPECT_THAT(outcome.message, HasSubstr("a\\x0ab: content (and 1 more)"));
  EXPECT_THAT(outcome.differences, ::testing::ElementsAre("a\\x0ab", "c"));
}

TEST(Outcome, ARehearsalSkipsWhatChangedAndACutoverDoesNot) {
  auto moved = report();
  moved.changed_count = 1;
  moved.changed = {{"log", "changed while it was read"}};
  const auto cutover = outcome_of(moved);
  EXPECT_FALSE(cutover.done);
  EXPECT_TRUE(cutover.retry);
  EXPECT_THAT(cutover.message, HasSubstr("log: changed while it was read"));
  moved.lenient = true;
  const auto stage = outcome_of(moved);
  EXPECT_TRUE(stage.done);
  EXPECT_THAT(stage.skipped, ::testing::ElementsAre("log"));
}

TEST(Outcome, AFileThatCannotBeReadFailsBoth) {
  auto bad = report();
  bad.lenient = true;
  bad.failed = 1;
  bad.failures = {{"secret", "open secret: Permission denied"}};
  EXPECT_EQ(outcome_of(bad).message, "open secret: Permission denied");
}

TEST(Outcome, ItsLineFitsIntoATerminationMessage) {
  auto bad = report();
  for (int i = 0; i < 1000; ++i) bad.differences.push_back({std::string(300, 'x') + std::to_string(i), "content"});
  bad.differing = 5000;
  volume::Progress progress;
  const auto line = last_line(outcome_of(bad), progress, 4096);
  EXPECT_LE(line.size(), 4096U);
  EXPECT_GT(parse_json(line)["differences"].size(), 3U);
  Outcome endless;
  endless.message = std::string(100'000, '"');
  EXPECT_EQ(parse_json(last_line(endless, progress, 4096))["phase"], "failed");
}

}  // namespace
}  // namespace mtc::mover
