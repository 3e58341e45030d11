#include "support/postgresql_server.hpp"

#include <pwd.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "condenser/core/error.hpp"

namespace condenser::tests {
namespace {

namespace fs = std::filesystem;

std::string address(const std::string& socket_folder) {
  return "postgresql:///postgres?host=" + socket_folder + "&user=condenser";
}

// Debian keeps the server's programs apart, by version.
fs::path programs() {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", ignored))
    if (fs::exists(version.path() / "bin" / "postgres")) found.push_back(version.path() / "bin");
  return found.empty() ? fs::path() : *std::ranges::max_element(found);
}

// The server refuses to run as root.
const passwd* other_user() {
  if (geteuid() != 0) return nullptr;
  const passwd* user = getpwnam("postgres");
  return user != nullptr ? user : getpwnam("nobody");
}

std::vector<std::string> as_other_user(std::vector<std::string> arguments) {
  if (const passwd* user = other_user())
    arguments.insert(arguments.begin(),
                     {"setpriv", "--reuid=" + std::to_string(user->pw_uid), "--regid=" + std::to_string(user->pw_gid),
                      "--clear-groups", "--pdeathsig=INT"});
  return arguments;
}

std::vector<pid_t> children_of(pid_t process) {
  const std::string id = std::to_string(process);
  std::ifstream in("/proc/" + id + "/task/" + id + "/children");
  return {std::istream_iterator<pid_t>(in), {}};
}

}  // namespace

std::unique_ptr<PostgresqlServer> PostgresqlServer::start() {
  try {
    if (programs().empty()) throw core::Error("no server in /usr/lib/postgresql");
    std::unique_ptr<PostgresqlServer> server(new PostgresqlServer);
    const fs::path folder = server->folder_.path();
    if (const passwd* user = other_user())
      if (chown(folder.c_str(), user->pw_uid, user->pw_gid) != 0) throw core::Error("chown " + folder.string());
    const core::ProcessResult made =
        core::run_process(as_other_user({(programs() / "initdb").string(), "-D", (folder / "data").string(), "-U",
                                         "condenser", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"}),
                          {.folder = folder});
    if (!made.ok()) throw core::Error("initdb: " + made.out);
    server->start_again();
    return server;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tests: PostgreSQL is left out: %s\n", e.what());
    return nullptr;
  }
}

void PostgresqlServer::start_again() {
  const std::string folder = folder_.path().string();
  process_ = std::make_unique<core::Process>(
      as_other_user({(programs() / "postgres").string(), "-D", folder + "/data", "-k", folder, "-c",
                     "listen_addresses=", "-c", "max_connections=200", "-c", "fsync=off"}),
      core::ProcessOptions{.folder = folder});
  for (int tries = 0; tries < 600 && process_->running(); ++tries) {
    try {
      soci::session sql(soci::postgresql, address(folder));
      return;
    } catch (const std::exception&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  throw core::Error("postgres does not start: " + process_->result().out);
}

PostgresqlServer::~PostgresqlServer() = default;  // the process is killed with its group

std::string PostgresqlServer::url(const std::string& study) const { return url(study, folder_.path().string()); }

std::string PostgresqlServer::url(const std::string& study, const std::string& socket_folder) const {
  return address(socket_folder) + "&study=" + study;
}

std::string PostgresqlServer::socket() const { return (folder_.path() / ".s.PGSQL.5432").string(); }

void PostgresqlServer::execute(const std::string& study, const std::string& statement) const {
  soci::session sql(soci::postgresql, address(folder_.path().string()));
  sql << "SET search_path TO \"condenser_" << study << "\"";
  sql << statement;
}

void PostgresqlServer::kill_now() {
  const std::vector<pid_t> children = children_of(process_->pid());
  process_->kill_group();
  process_.reset();
  // They lead groups of their own: one that is asked before it sees that the server has gone still answers.
  for (const pid_t child : children)
    while (kill(child, SIGKILL) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

PostgresqlServer* common_postgresql_server() {
  static const std::unique_ptr<PostgresqlServer> server = PostgresqlServer::start();
  return server.get();
}

}  // namespace condenser::tests
