#pragma once
// A PostgreSQL server for tests: in a temporary folder, reached through a socket there, ended with the tests.

#include <memory>
#include <string>

#include "condenser/core/process.hpp"
#include "condenser/core/temporary_folder.hpp"

namespace condenser::tests {

class PostgresqlServer {
 public:
  // nullptr: this machine has none, or it cannot be started (said once, on stderr).
  static std::unique_ptr<PostgresqlServer> start();
  ~PostgresqlServer();

  std::string url(const std::string& study) const;
  // Through another folder, which holds a socket of that name.
  std::string url(const std::string& study, const std::string& socket_folder) const;
  std::string socket() const;
  void execute(const std::string& study, const std::string& statement) const;
  void kill_now();  // SIGKILL to all its processes
  void start_again();

 private:
  PostgresqlServer() = default;
  core::TemporaryFolder folder_;
  std::unique_ptr<core::Process> process_;
};

// One for all tests that do not kill it; nullptr as above.
PostgresqlServer* common_postgresql_server();

}  // namespace condenser::tests
