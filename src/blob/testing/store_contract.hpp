#pragma once

#include <functional>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "blob/store.hpp"

namespace mtc::blob::testing {

/// A Store that claims to keep the contract of store.hpp.
struct StoreUnderTest {
  using Use = std::function<Task<void>(Store* store)>;
  std::string name;  ///< of the test: letters and digits
  /// Runs `use` with a store, perhaps one that holds other objects, and cleans up.
  std::function<Task<void>(Use use)> with_store;
  std::string skipped = "";  ///< why it cannot be tested here; "" = it can

  friend std::ostream& operator<<(std::ostream& out, const StoreUnderTest& store) { return out << store.name; }
};

/// The contract of every Store. A test program names its stores:
///
///   INSTANTIATE_TEST_SUITE_P(All, StoreContract, testing::Values(…), StoreContract::name_of);
class StoreContract : public ::testing::TestWithParam<StoreUnderTest> {
 public:
  static std::string name_of(const ::testing::TestParamInfo<StoreUnderTest>& info) { return info.param.name; }

 protected:
  /// A clause of the contract; `at` is a prefix of keys that nothing else uses.
  using Clause = Task<void>(Store* store, std::string at);
  void check(Clause* clause);
};

/// The bytes of an object, or of a range of it. Fails the test if the object is absent.
Task<std::string> content(Store* store, std::string key, Range range = {});
/// "Code: message" of the Error that `task` throws; "" if it throws none.
Task<std::string> failure_of(Task<void> task);
/// Reproducible bytes that do not compress.
std::string noise(std::size_t size, std::uint64_t seed = 1);

}  // namespace mtc::blob::testing
