#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "blob/store.hpp"

namespace mtc::blob::testing {

/// Which calls of a store fail.
struct StoreFault {
  enum class Method { kHead, kOpen, kRead, kPut, kCreate, kWrite, kCommit, kList, kRemove };
  Method method;
  Error error;
  std::string key_prefix = {};  ///< only keys (or listed prefixes) that begin with it
  unsigned after = 0;           ///< so many matching calls succeed first
  unsigned times = 1;           ///< then so many fail; the rest succeed
};

/// `inner`, some of whose calls fail. Later faults see only the calls that earlier ones let through.
StorePtr faulty(StorePtr inner, std::vector<StoreFault> faults);

}  // namespace mtc::blob::testing
