#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "oci/registry.hpp"

namespace mtc::oci::testing {

/// A registry that speaks the protocol, and how to reach it.
struct RegistryUnderTest {
  using Use = std::function<Task<void>(RegistryOptions options)>;
  std::string name;  ///< of the test: letters and digits
  /// Runs `use` with an empty registry, as somebody who may push.
  std::function<Task<void>(Use use)> with_registry;
  std::string skipped = {};  ///< why it cannot be tested here; "" = it can

  friend std::ostream& operator<<(std::ostream& out, const RegistryUnderTest& one) { return out << one.name; }
};

/// What the client does with every registry: the double is held to what docker-registry does.
class RegistryContract : public ::testing::TestWithParam<RegistryUnderTest> {
 public:
  static std::string name_of(const ::testing::TestParamInfo<RegistryUnderTest>& info) { return info.param.name; }

 protected:
  using Clause = Task<void>(RegistryOptions options);
  void check(Clause* clause);
};

/// Reproducible bytes that do not compress.
std::string noise(std::size_t size, std::uint64_t seed = 1);
/// Names `bytes`.
Descriptor blob_of(const std::string& bytes);
/// An upload's origin in memory, in pieces.
BlobOrigin origin_of(std::string bytes);
/// Uploads `bytes`.
Task<void> put(Registry* registry, std::string repository, std::string bytes);
/// All bytes of a blob from `offset` on.
Task<std::string> content(Registry* registry, std::string repository, Descriptor blob, std::uint64_t offset = 0);

}  // namespace mtc::oci::testing
