#include "net/paced.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::net {
namespace {

using testing::read_to_end;
using testing::run;

Task<void> say_and_close(StreamPtr stream, std::string what) {
  co_await stream->write_all(what);
  co_await stream->close();
}

Task<void> hear(StreamPtr stream, std::string* into) { *into = co_await read_to_end(stream.get()); }

/// Seconds that `size` bytes take over a pipe whose ends keep these paces, either of which may be null.
double seconds_of(std::size_t size, PacePtr writing, PacePtr reading) {
  const auto begin = std::chrono::steady_clock::now();
  run([](std::size_t bytes, PacePtr near_pace, PacePtr far_pace) -> Task<void> {
    auto [near, far] = make_pipe();
    const std::string text(bytes, 'x');
    std::string heard;
    std::vector<Task<void>> both;
    both.push_back(say_and_close(paced(std::move(near), std::move(near_pace)), text));
    both.push_back(hear(paced(std::move(far), std::move(far_pace)), &heard));
    co_await async::all(std::move(both));
    EXPECT_EQ(heard, text);
  }(size, std::move(writing), std::move(reading)));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

PacePtr pace_of(double per_second) {
  auto pace = std::make_shared<async::Pace>();
  pace->set(per_second);
  return pace;
}

constexpr std::size_t kMiB = 1024 * 1024;

TEST(Paced, WhatIsWrittenKeepsThePace) { EXPECT_GE(seconds_of(2 * kMiB, pace_of(4 * kMiB), nullptr), 0.4); }

TEST(Paced, WhatIsReadKeepsThePace) { EXPECT_GE(seconds_of(2 * kMiB, nullptr, pace_of(4 * kMiB)), 0.4); }

TEST(Paced, OfOnePaceTheyAreHalfAsFast) {
  const auto pace = pace_of(8 * kMiB);
  EXPECT_GE(seconds_of(2 * kMiB, pace, pace), 0.4);
}

}  // namespace
}  // namespace mtc::net
