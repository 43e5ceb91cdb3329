#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "net/stream.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::net {
namespace {

using ::testing::HasSubstr;
using testing::read_to_end;
using testing::run;

Task<void> write_and_close(Stream* to, std::string data) {
  co_await to->write_all(data);
  co_await to->close();
}

Task<void> read_once(Stream* from) {
  std::array<char, 1> byte{};
  co_await from->read_some(byte);
}

TEST(Pipe, CarriesMoreThanItHolds) {
  run([]() -> Task<void> {
    auto [a, b] = make_pipe(10);
    const std::string data(5000, 'x');
    auto scope = co_await async::Scope::create();
    scope.spawn(write_and_close(a.get(), data));
    EXPECT_EQ(co_await read_to_end(b.get()), data);
    co_await scope.join();
  }());
}

TEST(Pipe, RefusesWritesToAnEndThatIsGone) {
  run([]() -> Task<void> {
    auto [a, b] = make_pipe();
    b.reset();
    EXPECT_THAT(co_await testing::failure_of(write_and_close(a.get(), "x")), HasSubstr("Unavailable"));
  }());
}

TEST(Pipe, ReadsAndWritesCanBeCancelled) {
  run([]() -> Task<void> {
    auto [a, b] = make_pipe(1);
    EXPECT_TRUE(co_await testing::ends_when_cancelled(read_once(a.get())));
    EXPECT_TRUE(co_await testing::ends_when_cancelled(a->write_all("more than fits")));
  }());
}

TEST(Pipe, IsQuietUntilSomethingArrives) {
  run([]() -> Task<void> {
    auto [a, b] = make_pipe();
    EXPECT_TRUE(a->quiet());
    co_await b->write_all("x");
    EXPECT_FALSE(a->quiet());
    co_await read_once(a.get());
    EXPECT_TRUE(a->quiet());
    co_await b->close();
    EXPECT_FALSE(a->quiet());
  }());
}

TEST(Prefix, ComesFirst) {
  run([]() -> Task<void> {
    auto [a, b] = make_pipe();
    co_await a->write_all("there");
    co_await a->close();
    const auto stream = with_prefix("hello ", std::move(b));
    EXPECT_EQ(co_await read_to_end(stream.get()), "hello there");
  }());
}

}  // namespace
}  // namespace mtc::net
