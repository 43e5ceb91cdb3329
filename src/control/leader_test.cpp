#include "control/leader.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.hpp"
#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "json/json.hpp"
#include "sandbox/cluster.hpp"

namespace mtc::control {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

void on_host(std::function<Task<void>(kube::ClientPtr)> body) {
  async::Runtime().run([](std::function<Task<void>(kube::ClientPtr)> run) -> Task<void> {
    const auto cluster = co_await sandbox::Cluster::start({.run_workloads = false});
    const auto host = cluster->client();
    co_await host->create(kube::types::namespaces(), {{"metadata", {{"name", api::kNamespace}}}});
    co_await run(host);
    co_await cluster->stop();
  }(std::move(body)));
}

LeaderOptions candidate(kube::ClientPtr host, std::string identity, Duration lease = 15s) {
  return {.host = std::move(host),
          .identity = std::move(identity),
          .clock = &system_clock(),
          .lease = lease,
          .renew = 100ms};
}

/// Works until `end` is set, and notes when it begins and ends.
Task<void> work(std::string name, async::Event* began, async::Event* end, std::vector<std::string>* log) {
  log->push_back(name + " begins");
  began->set();
  co_await end->wait();
  log->push_back(name + " ends");
}

std::function<Task<void>()> worker(std::string name, async::Event* began, async::Event* end,
                                   std::vector<std::string>* log) {
  return [=] { return work(name, began, end, log); };
}

Task<std::string> holder(kube::ClientPtr host) {
  const auto lease = co_await kube::must_get(*host, kube::types::leases(), {api::kNamespace, "mtc-controller"});
  co_return string_at(lease, "spec.holderIdentity");
}

TEST(Leader, OneWorksWhileTheOtherStandsBy) {
  on_host([](kube::ClientPtr host) -> Task<void> {
    async::Event one, two, end_one, end_two;
    std::vector<std::string> log;
    auto scope = co_await async::Scope::create();
    scope.spawn(lead(candidate(host, "one", 2s), worker("one", &one, &end_one, &log)));
    co_await one.wait();
    scope.spawn(lead(candidate(host, "two", 2s), worker("two", &two, &end_two, &log)));
    EXPECT_FALSE(co_await two.wait_for(3s)) << "it was renewed all the while";
    end_one.set();  // it falls silent, and its promise of two seconds runs out
    EXPECT_TRUE(co_await two.wait_for(30s));
    EXPECT_EQ(co_await holder(host), "two");
    end_two.set();
    co_await scope.join();
    EXPECT_THAT(log, ElementsAre("one begins", "one ends", "two begins", "two ends"));
  });
}

/// The identity of a process that has ended.
std::string dead_process() {
  const auto child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  const auto mine = this_process();
  return mine.substr(0, mine.rfind('_', mine.rfind('_') - 1) + 1) + std::to_string(child) + "_1";
}

TEST(Leader, ADeadProcessOfThisMachineIsReplacedAtOnce) {
  EXPECT_TRUE(is_dead_here(dead_process()));
  EXPECT_FALSE(is_dead_here(this_process()));
  EXPECT_FALSE(is_dead_here("somebody-else"));
  on_host([](kube::ClientPtr host) -> Task<void> {
    async::Event began, end;
    std::vector<std::string> log;
    end.set();
    co_await lead(candidate(host, dead_process(), 1h), worker("dead", &began, &end, &log));
    co_await async::with_timeout(5s, "taking over", lead(candidate(host, "next"), worker("next", &began, &end, &log)));
    EXPECT_EQ(co_await holder(host), "next");
  });
}

TEST(Leader, StopsWorkingWhenTheLeaseIsTaken) {
  on_host([](kube::ClientPtr host) -> Task<void> {
    async::Event began, never;
    std::vector<std::string> log;
    auto scope = co_await async::Scope::create();
    std::string text;
    scope.spawn_isolated(lead(candidate(host, "one"), worker("one", &began, &never, &log)),
                         [&text](const std::exception_ptr& failure) {
                           try {
                             std::rethrow_exception(failure);
                           } catch (const Error& error) {
                             text = error.what();
                           }
                         });
    co_await began.wait();
    const Json taken = {{"spec", {{"holderIdentity", "thief"}}}};
    co_await host->patch(kube::types::leases(), {api::kNamespace, "mtc-controller"}, kube::PatchKind::kMerge, taken);
    co_await scope.join();
    EXPECT_THAT(text, testing::HasSubstr("was taken by thief"));
    EXPECT_THAT(log, ElementsAre("one begins"));
  });
}

}  // namespace
}  // namespace mtc::control
