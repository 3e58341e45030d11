#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "condenser/core/log.hpp"

int main(int argc, char** argv) {
  condenser::core::log::set_level(condenser::core::log::Level::Warning);  // searches of tests are many and talk
  return Catch::Session().run(argc, argv);
}
