#include "net/testing/fault_gate.hpp"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::net {
namespace {

using ::testing::HasSubstr;
using testing::run;

TEST(FaultGate, StrikesAtItsByte) {
  run([]() -> Task<void> {
    auto [a, b] = make_pipe();
    co_await a->write_all("0123456789");
    testing::Faults faults;
    faults.corrupt_read_at = 3;
    faults.reset_read_after = 6;
    faults.slice_reads = 4;
    const auto gate = testing::faulty(std::move(b), faults);
    std::array<char, 100> buffer{};
    EXPECT_EQ(co_await gate->read_some(buffer), 4u);
    EXPECT_EQ(std::string(buffer.data(), 4), "0122");
    EXPECT_EQ(co_await gate->read_some(buffer), 2u);
    auto read = [](Stream* s) -> Task<void> {
      std::array<char, 1> one{};
      co_await s->read_some(one);
    };
    EXPECT_THAT(co_await testing::failure_of(read(gate.get())), HasSubstr("reset by the gate"));
  }());
}

}  // namespace
}  // namespace mtc::net
