#include "control/interests.hpp"

#include <map>

#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "sandbox/cluster.hpp"

namespace mtc::control {
namespace {

using namespace std::chrono_literals;

/// Notes who is woken.
class Sleepers {
 public:
  Interests::Wake wake() {
    return [this](const Interests::Subscriber& who) { woken_[who.key.name].set(); };
  }
  /// False if it slept on.
  Task<bool> woken(std::string name) {
    const bool was = co_await woken_[name].wait_for(20s);
    woken_[name].reset();
    co_return was;
  }

 private:
  std::map<std::string, async::Event> woken_;
};

Interests::Subscriber subscriber(std::string name) { return {"MigPlan", {"ns", std::move(name)}}; }

TEST(Interests, WakeWhenTheWatchStandsAndAtEveryChange) {
  async::Runtime().run([]() -> Task<void> {
    const auto cluster = co_await sandbox::Cluster::start({.run_workloads = false});
    Sleepers sleepers;
    const auto interests = co_await Interests::create(sleepers.wake());
    const Interest config_maps{cluster->client(), kube::types::config_maps(), "default", "", ""};

    interests->replace(subscriber("first"), {config_maps});
    EXPECT_TRUE(co_await sleepers.woken("first"));
    // What changed between its last look and now, the watch has told the first one only.
    interests->replace(subscriber("second"), {config_maps});
    EXPECT_TRUE(co_await sleepers.woken("second"));
    EXPECT_EQ(interests->open_watches(), 1u);

    co_await cluster->client()->create(kube::types::config_maps(),
                                       {{"metadata", {{"name", "news"}, {"namespace", "default"}}}});
    EXPECT_TRUE(co_await sleepers.woken("first"));
    EXPECT_TRUE(co_await sleepers.woken("second"));

    interests->forget(subscriber("first"));
    EXPECT_EQ(interests->open_watches(), 1u);
    interests->forget(subscriber("second"));
    EXPECT_EQ(interests->open_watches(), 0u);
    co_await interests->stop();
    co_await cluster->stop();
  }());
}

}  // namespace
}  // namespace mtc::control
