// Exit codes, and what a verb throws as one line.

#include <malloc.h>

#include <cstdlib>
#include <filesystem>
#include <new>

#include "cli/command_line.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/stop.hpp"

namespace condenser::cli {
namespace {

int dispatch(int argc, char** argv) {
  const CommandLine line = parse({argv, argv + argc});
  if (!line.run) {
    core::write_output(line.text);
    return line.code;
  }
  core::log::set_level(line.global.quiet     ? core::log::Level::Warning
                       : line.global.verbose ? core::log::Level::Debug
                                             : core::log::Level::Info);
  return line.run();
}

}  // namespace
}  // namespace condenser::cli

namespace {

// Matrices of a few megabytes come and go with every proposal of a search. Given back to the system each time, they
// cost a fifth of it in page faults (condenser bench proposal).
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  using condenser::core::ExitCode;
  keep_freed_memory();
  condenser::core::prepare_standard_streams();
  condenser::core::install_stop_handlers();
  try {
    return condenser::cli::dispatch(argc, argv);
  } catch (const condenser::core::Error& e) {
    condenser::core::log::error(e.what());
    return static_cast<int>(e.code());
  } catch (const std::filesystem::filesystem_error& e) {
    const std::string second = e.path2().empty() ? "" : " -> " + e.path2().string();
    condenser::core::log::error(e.path1().string() + second + ": " + e.code().message());
  } catch (const std::bad_alloc&) {
    condenser::core::log::error("out of memory");
  } catch (const std::exception& e) {
    condenser::core::log::error(std::string("unexpected: ") + e.what());
  }
  return static_cast<int>(ExitCode::RunFailed);
}
