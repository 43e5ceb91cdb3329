#pragma once

#include <functional>
#include <vector>

namespace mtc::volume::testing {

/// A system call (SYS_…) and the errno that it fails with.
struct FailingCall {
  long number = 0;
  int failure = 0;
};
/// Runs `body` in a thread of its own; there, and in the threads that it starts, these calls fail: a disk that breaks,
/// a kernel that is old, privileges that are missing. Returns false, without running it, where the kernel has no
/// seccomp.
bool with_failing_calls(const std::vector<FailingCall>& calls, const std::function<void()>& body);

}  // namespace mtc::volume::testing
