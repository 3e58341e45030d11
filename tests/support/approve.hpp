#pragma once
// Small approved texts in tests/golden. CONDENSER_APPROVE=1 rewrites them; look at the difference before it goes in.

#include <cstdlib>
#include <filesystem>
#include <string>

#include "condenser/core/files.hpp"
#include "support/catch.hpp"

namespace condenser::tests {

inline void approve(const std::string& name, const std::string& text) {
  const std::filesystem::path file = std::filesystem::path(CONDENSER_SOURCE_DIR) / "tests/golden" / name;
  const char* flag = std::getenv("CONDENSER_APPROVE");
  if (flag != nullptr && std::string(flag) == "1") core::write_atomic(file, text);
  INFO(file.string() << ": approve with CONDENSER_APPROVE=1");
  REQUIRE(std::filesystem::exists(file));
  CHECK(core::read_file(file) == text);
}

}  // namespace condenser::tests
