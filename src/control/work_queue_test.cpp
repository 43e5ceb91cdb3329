#include "control/work_queue.hpp"

#include <gtest/gtest.h>

namespace mtc::control {
namespace {

using namespace std::chrono_literals;

const WorkQueue::Instant kStart{};
const kube::ObjectKey kA{"ns", "a"};
const kube::ObjectKey kB{"ns", "b"};

TEST(WorkQueue, HandsOutWhatIsDueLongestFirst) {
  WorkQueue queue;
  queue.add(kA, kStart + 2s);
  queue.add(kB, kStart + 1s);
  EXPECT_EQ(queue.take(kStart), std::nullopt);
  EXPECT_EQ(queue.take(kStart + 3s), kB);
  EXPECT_EQ(queue.take(kStart + 3s), kA);
  EXPECT_EQ(queue.take(kStart + 3s), std::nullopt);
}

TEST(WorkQueue, NeverRunsOneKeyTwiceAtOnce) {
  WorkQueue queue;
  queue.add(kA, kStart);
  ASSERT_EQ(queue.take(kStart), kA);
  queue.add(kA, kStart);
  EXPECT_EQ(queue.take(kStart), std::nullopt);
  EXPECT_EQ(queue.next_due(), std::nullopt);
  queue.done(kA);
  EXPECT_EQ(queue.take(kStart), kA);
}

TEST(WorkQueue, KeepsTheEarlierOfTwoTimes) {
  WorkQueue queue;
  queue.add(kA, kStart + 9s);
  queue.add(kA, kStart + 1s);
  queue.add(kA, kStart + 5s);
  EXPECT_EQ(queue.next_due(), kStart + 1s);
}

TEST(WorkQueue, BacksOffUntilAPassSucceeds) {
  WorkQueue queue;
  SeededRng rng(1);
  Duration last{};
  for (int i = 0; i < 20; ++i) last = queue.failed(kA, rng);
  EXPECT_GE(last, 30s);
  EXPECT_LE(last, 60s);
  queue.succeeded(kA);
  EXPECT_LE(queue.failed(kA, rng), 5ms);
}

}  // namespace
}  // namespace mtc::control
