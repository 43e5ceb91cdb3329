#include "net/splice.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::net {
namespace {

using testing::ends_when_cancelled;
using testing::read_to_end;
using testing::run;

Task<void> splice_and_close(StreamPtr one, StreamPtr other) {
  co_await splice(one.get(), other.get());
  co_await one->close();
  co_await other->close();
}

Task<void> ask(StreamPtr stream, std::string question, std::string* answer) {
  co_await stream->write_all(question);
  std::string got(question.size(), '\0');
  for (std::size_t at = 0; at < got.size();) at += co_await stream->read_some(std::span(got).subspan(at));
  *answer = got;
  co_await stream->close();
}

TEST(Splice, CarriesBothWaysUntilOneEnds) {
  run([]() -> Task<void> {
    auto [client, near] = make_pipe();  // together they hold the question, which is written before it is read
    auto [far, server] = make_pipe();
    const std::string question(150'000, 'q');
    std::string answer;
    std::vector<Task<void>> tasks;
    tasks.push_back(splice_and_close(std::move(near), std::move(far)));
    tasks.push_back(testing::echo(std::move(server)));
    tasks.push_back(ask(std::move(client), question, &answer));
    co_await async::all(std::move(tasks));
    EXPECT_EQ(answer, question);
  }());
}

TEST(Splice, WhatCameBeforeTheEndArrives) {
  run([]() -> Task<void> {
    auto [client, near] = make_pipe();
    auto [far, server] = make_pipe();
    co_await client->write_all("last words");
    co_await client->close();
    co_await splice_and_close(std::move(near), std::move(far));
    EXPECT_EQ(co_await read_to_end(server.get()), "last words");
  }());
}

TEST(Splice, EndsWhenCancelled) {
  run([]() -> Task<void> {
    auto [client, near] = make_pipe();
    auto [far, server] = make_pipe();
    EXPECT_TRUE(co_await ends_when_cancelled(splice(near.get(), far.get())));
  }());
}

}  // namespace
}  // namespace mtc::net
