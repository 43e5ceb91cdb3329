#pragma once

#include "base/clock.hpp"

namespace mtc::migrate::testing {

/// Stands still, but for what a test does to it.
struct TestClock final : Clock {
  Time time = *parse_rfc3339("2026-01-02T03:04:05Z");
  Time now() const override { return time; }
};

}  // namespace mtc::migrate::testing
