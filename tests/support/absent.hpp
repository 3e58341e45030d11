#pragma once
// What a test needs from outside and may be absent: data sets, compilers, Python packages. The test is skipped with a
// word; in CI (CI=true) that is a failure, unless tests/may_be_absent.txt lists the thing: a test that nobody runs
// proves nothing.

#include <cstdlib>
#include <fstream>
#include <string>

#include "support/catch.hpp"

namespace condenser::tests {

// The thing in a few words that stand in the list, e.g. "data: mlperf_tiny/kws01", and why it is not there.
inline void skip_without(const std::string& thing, const std::string& why) {
  WARN("skipped without " << thing << ": " << why);
  const char* ci = std::getenv("CI");
  if (!ci || std::string(ci) != "true") return;
  std::ifstream list(CONDENSER_SOURCE_DIR "/tests/may_be_absent.txt");
  REQUIRE(list);
  for (std::string line; std::getline(list, line);)
    if (line == thing) return;
  FAIL("CI lacks " << thing << " (" << why << "); install it, or list it in tests/may_be_absent.txt with a reason");
}

}  // namespace condenser::tests
