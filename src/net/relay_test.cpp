#include "net/relay.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "net/connect.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::net {
namespace {

using namespace std::chrono_literals;
using testing::failure_of;
using ::testing::HasSubstr;
using testing::run;

/// Two ends that listen, and what joins them.
struct Ends {
  std::unique_ptr<Listener> caller, called;
  ConnectorPtr connector = tcp_connector(5s);
  int dialled = 0;

  Relay between(Duration idle) {
    return {.caller = [this] { return connector->connect(caller->local()); },
            .called =
                [this] {
                  ++dialled;
                  return connector->connect(called->local());
                },
            .idle = idle};
  }
};

Task<void> answer(Listener* listener, int count) {
  for (int i = 0; i < count; ++i) co_await testing::echo(co_await listener->accept());
}

/// Speaks on two connections, one after the other, then has no more use for a third.
Task<void> call(Ends* ends, std::vector<std::string>* heard) {
  for (const std::string word : {"one", "two"}) {
    const auto stream = co_await ends->caller->accept();
    co_await stream->write_all(word);
    std::string got(3, '\0');
    for (std::size_t at = 0; at < got.size();) at += co_await stream->read_some(std::span(got).subspan(at));
    heard->push_back(got);
    co_await stream->close();
  }
  const auto unused = co_await ends->caller->accept();
  co_await unused->close();
}

TEST(Relay, JoinsAsManyAsTheCallerUses) {
  run([]() -> Task<void> {
    Ends ends;
    ends.caller = co_await listen_tcp({"127.0.0.1", 0});
    ends.called = co_await listen_tcp({"127.0.0.1", 0});
    std::vector<std::string> heard;
    std::vector<Task<void>> tasks;
    tasks.push_back(relay(ends.between(60s)));
    tasks.push_back(answer(ends.called.get(), 2));
    tasks.push_back(call(&ends, &heard));
    co_await async::all(std::move(tasks));
    EXPECT_THAT(heard, ::testing::ElementsAre("one", "two"));
    EXPECT_EQ(ends.dialled, 2);
  }());
}

TEST(Relay, EndsWhenItIsNotUsed) {
  run([]() -> Task<void> {
    Ends ends;
    ends.caller = co_await listen_tcp({"127.0.0.1", 0});
    co_await relay(ends.between(10ms));
    EXPECT_EQ(ends.dialled, 0);
  }());
}

Task<StreamPtr> refuse(Code code, std::string why) {
  throw Error(code, why);
  co_return nullptr;
}

TEST(Relay, SaysThatTheCallerIsNotThere) {
  run([]() -> Task<void> {
    Ends ends;
    ends.caller = co_await listen_tcp({"127.0.0.1", 0});
    auto between = ends.between(60s);
    between.caller = [] { return refuse(Code::kNotFound, "no such pod"); };
    EXPECT_THAT(co_await failure_of(relay(between)), HasSubstr("no such pod"));
    between.caller = [] { return refuse(Code::kTimeout, "no answer within 30 s"); };
    EXPECT_THAT(co_await failure_of(relay(between)), HasSubstr("no answer within 30 s"));
  }());
}

/// Speaks once, finds that nobody is there, and has no use for another connection.
Task<void> call_in_vain(Ends* ends) {
  const auto stream = co_await ends->caller->accept();
  co_await stream->write_all("one");
  EXPECT_EQ(co_await testing::read_to_end(stream.get()), "");
  const auto unused = co_await ends->caller->accept();
  co_await unused->close();
}

TEST(Relay, TellsWhyAPairBroke) {
  run([]() -> Task<void> {
    Ends ends;
    ends.caller = co_await listen_tcp({"127.0.0.1", 0});
    auto between = ends.between(60s);
    std::string heard;
    between.called = [] { return refuse(Code::kForbidden, "you may not"); };
    between.broken = [&heard](const std::exception_ptr& why) { heard = async::as_error(why).what(); };
    std::vector<Task<void>> tasks;
    tasks.push_back(relay(std::move(between)));
    tasks.push_back(call_in_vain(&ends));
    co_await async::all(std::move(tasks));
    EXPECT_EQ(heard, "you may not");
  }());
}

}  // namespace
}  // namespace mtc::net
