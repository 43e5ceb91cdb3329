#include "blob/testing/faulty_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blob/testing/store_contract.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::blob::testing {
namespace {

using Method = StoreFault::Method;

Task<void> put(StorePtr store, std::string key) { co_await store->put(key, "1"); }
Task<void> read(StorePtr store, std::string key) { co_await content(store.get(), key); }

TEST(FaultyStore, FailsTheCallsThatItIsToldTo) {
  net::testing::run([]() -> Task<void> {
    const auto store = faulty(make_memory_store(), {{.method = Method::kPut,
                                                     .error = Error(Code::kThrottled, "slow down"),
                                                     .key_prefix = "x/",
                                                     .after = 1,
                                                     .times = 2},
                                                    {.method = Method::kRead, .error = Error(Code::kCorrupt, "bad")}});
    EXPECT_EQ(co_await failure_of(put(store, "y")), "");
    EXPECT_EQ(co_await failure_of(put(store, "x/1")), "");
    EXPECT_EQ(co_await failure_of(put(store, "x/2")), "Throttled: slow down");
    EXPECT_EQ(co_await failure_of(put(store, "x/3")), "Throttled: slow down");
    EXPECT_EQ(co_await failure_of(put(store, "x/4")), "");
    EXPECT_EQ(co_await failure_of(read(store, "y")), "Corrupt: bad");
    EXPECT_EQ(co_await failure_of(read(store, "y")), "");
    EXPECT_EQ(co_await store->head("x/2"), std::nullopt);
  }());
}

}  // namespace
}  // namespace mtc::blob::testing
