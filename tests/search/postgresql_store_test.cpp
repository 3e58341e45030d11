// What is PostgreSQL's own: servers that go away, commits whose answer is lost, many studies, passwords.

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <map>
#include <thread>

#include "condenser/core/rng.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "search/stores/postgresql.hpp"
#include "support/catch.hpp"
#include "support/postgresql_server.hpp"
#include "support/studies.hpp"

using namespace condenser;
using namespace condenser::tests;
using search::StoreMode;
using search::Trial;
using search::TrialState;

namespace {

constexpr double kLong = 1000;

Trial done(Trial trial, double accuracy) {
  trial.state = TrialState::Done;
  trial.findings.metrics["val_accuracy"] = accuracy;
  return trial;
}

// Stands between a store and its server and loses what it is told to.
class Proxy {
 public:
  enum class Lose { Nothing, Commit, AnswerOfCommit };

  explicit Proxy(std::string server) : server_(std::move(server)) {
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of((folder_.path() / ".s.PGSQL.5432").string());
    REQUIRE(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener_, 8) == 0);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~Proxy() {
    ends_ = true;
    acceptor_.join();
    for (std::thread& pump : pumps_) pump.join();
    close(listener_);
  }

  std::string folder() const { return folder_.path().string(); }
  void lose(Lose what) { lose_ = what; }
  bool lost() const { return lose_ == Lose::Nothing; }

 private:
  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return address;
  }

  void accept_all() {
    while (!ends_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (poll(&waiting, 1, 20) <= 0) continue;
      const int client = accept(listener_, nullptr, nullptr);
      const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_un address = address_of(server_);
      if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        pumps_.emplace_back([this, client, server] { pump(client, server); });
      } else {
        close(client);
        close(server);
      }
    }
  }

  void pump(int client, int server) {
    std::array<pollfd, 2> ends = {pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    std::string piece(1 << 16, ' ');
    bool open = true;
    while (open && !ends_) {
      if (poll(ends.data(), ends.size(), 20) <= 0) continue;
      for (int from : {0, 1}) {
        if (!open || ends[static_cast<size_t>(from)].revents == 0) continue;
        const ssize_t length = read(from == 0 ? client : server, piece.data(), piece.size());
        open = length > 0 &&
               (from == 1 || !loses(server, std::string_view(piece).substr(0, static_cast<size_t>(length)))) &&
               write(from == 0 ? server : client, piece.data(), static_cast<size_t>(length)) == length;
      }
    }
    close(client);
    close(server);
  }

  bool loses(int server, std::string_view said) {
    if (lose_ == Lose::Nothing) return false;
    const auto says = [&](std::string_view words) { return said.find(words) != std::string_view::npos; };
    // A single statement commits by itself.
    if (!says("COMMIT") && !says("INSERT INTO trials") && !says("AND state = $")) return false;
    if (lose_ == Lose::AnswerOfCommit) {
      char answer[256];
      if (write(server, said.data(), said.size()) < 0 || read(server, answer, sizeof answer) <= 0) return true;
    }
    lose_ = Lose::Nothing;
    return true;
  }

  core::TemporaryFolder folder_;
  std::string server_;
  int listener_ = -1;
  std::atomic<bool> ends_ = false;
  std::atomic<Lose> lose_ = Lose::Nothing;
  std::thread acceptor_;
  std::vector<std::thread> pumps_;
};

}  // namespace

TEST_CASE("a change whose commit or its answer is lost is made once", "[search]") {
  PostgresqlServer* server = common_postgresql_server();
  if (server == nullptr) return;
  for (const Proxy::Lose what : {Proxy::Lose::Commit, Proxy::Lose::AnswerOfCommit}) {
    const std::string name = what == Proxy::Lose::Commit ? "lost-commit" : "lost-answer";
    INFO(name);
    Proxy proxy(server->socket());
    const auto direct = search::open_study(server->url(name));
    const auto store = search::open_study(server->url(name, proxy.folder()));

    proxy.lose(what);
    CHECK(store->append(a_proposal(0)));
    CHECK(proxy.lost());
    CHECK(store->append(a_proposal(1)));
    CHECK(direct->load().size() == 2);
    CHECK_FALSE(direct->append(a_proposal(0)));

    proxy.lose(what);
    const std::optional<Trial> claimed = store->claim("a", kLong);
    CHECK(proxy.lost());
    REQUIRE(claimed);
    CHECK((claimed->index == 0 && claimed->tries == 1));
    CHECK(direct->claim("b", kLong)->index == 1);  // only one was taken

    proxy.lose(what);
    CHECK(store->finish(done(*claimed, 90)));
    CHECK(proxy.lost());
    CHECK(same(direct->load()[0], done(*claimed, 90)));
    CHECK_FALSE(store->finish(done(*claimed, 91)));

    proxy.lose(what);
    store->log({.kind = "joined", .worker = "a"});
    CHECK(proxy.lost());
    CHECK(direct->events().size() == 1);

    proxy.lose(what);
    CHECK(store->keep("text", "words") == "words");
    CHECK(proxy.lost());
    proxy.lose(what);
    CHECK_NOTHROW(store->bind("seed: 1"));
    CHECK(proxy.lost());
    CHECK(store->load().size() == 2);
  }
}

namespace {

struct Report {
  int64_t trial;
  double accuracy;
};

// A worker of a study of so many trials, until all are finished.
void work(const std::string& url, const std::string& me, int64_t trials, int out) {
  const auto store = search::make_postgresql_store(url, StoreMode::Join, 60);
  std::map<int64_t, bool> finished;
  int64_t revision = 0;
  core::Rng rng(std::hash<std::string>()(me));
  while (true) {
    const auto look = [&] {
      const search::Changes changes = store->changes(revision);
      revision = changes.revision;
      for (const Trial& trial : changes.trials) finished[trial.index] = trial.finished();
    };
    if (const auto turn = store->turn({})) {
      look();
      if (std::ssize(finished) < trials) store->append(a_proposal(std::ssize(finished)));
    }
    if (const auto trial = store->claim(me, 2)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      const Report report{trial->index, rng.uniform()};
      if (store->finish(done(*trial, report.accuracy)) && write(out, &report, sizeof report) != sizeof report) _exit(4);
    }
    look();
    if (std::ssize(finished) == trials && std::ranges::all_of(finished, [](const auto& f) { return f.second; })) return;
  }
}

}  // namespace

TEST_CASE("a server that is killed and started again loses nothing and doubles nothing", "[search]") {
  if (common_postgresql_server() == nullptr) return;
  const auto server = PostgresqlServer::start();
  REQUIRE(server);
  constexpr int64_t kTrials = 400;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  search::open_study(server->url("kill"))->bind("seed: 1");
  std::vector<pid_t> children;
  for (int worker = 0; worker < 3; ++worker) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      try {
        work(server->url("kill"), "worker " + std::to_string(worker), kTrials, ends[1]);
        _exit(0);
      } catch (const std::exception& e) {
        fprintf(stderr, "%s\n", e.what());
        _exit(1);
      }
    }
    children.push_back(child);
  }
  close(ends[1]);
  core::Rng rng(6);
  for (int round = 0; round < 4; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100 + rng.below(400)));
    server->kill_now();
    std::this_thread::sleep_for(std::chrono::milliseconds(rng.below(300)));
    server->start_again();
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  std::map<int64_t, double> reported;
  Report report;
  while (read(ends[0], &report, sizeof report) == sizeof report)
    CHECK(reported.emplace(report.trial, report.accuracy).second);
  close(ends[0]);
  CHECK(reported.size() == kTrials);  // whoever finishes is told so, even if the answer of the commit is lost
  const std::vector<Trial> trials = search::open_study(server->url("kill"))->load();
  REQUIRE(trials.size() == kTrials);
  for (int64_t i = 0; i < kTrials; ++i) {
    const Trial& trial = trials[static_cast<size_t>(i)];
    CHECK((trial.index == i && trial.state == TrialState::Done));
    CHECK(trial.findings.metrics.at("val_accuracy") == reported.at(i));
  }
}

TEST_CASE("a server that stays away is an error in words", "[search]") {
  if (common_postgresql_server() == nullptr) return;
  const auto server = PostgresqlServer::start();
  REQUIRE(server);
  const auto store = search::make_postgresql_store(server->url("gone"), StoreMode::Join, 0.3);
  const auto turn = store->turn({});
  REQUIRE(turn);
  server->kill_now();
  CHECK_THROWS_WITH(store->append(a_proposal(0)), Catch::Contains("study=gone") && Catch::Contains("server") &&
                                                      Catch::Contains("can be reached") && !Catch::Contains("\n"));
  CHECK_THROWS_AS(store->load(), core::Error);
  server->start_again();
  CHECK(store->append(a_proposal(0)));  // the same store goes on
  CHECK(store->load().size() == 1);
}

TEST_CASE("one database holds many studies", "[search]") {
  PostgresqlServer* server = common_postgresql_server();
  if (server == nullptr) return;
  const auto a = search::open_study(server->url("many-a")), b = search::open_study(server->url("many-b"));
  a->bind("seed: 1");
  b->bind("seed: 2");
  CHECK(a->append(a_trial(0)));
  CHECK(b->load().empty());
  const auto turn = a->turn({});
  CHECK(b->turn([] { return true; }));
  CHECK_THROWS_WITH(search::open_study(server->url("many-c"), StoreMode::Look),
                    Catch::Contains("no such study") && Catch::Contains("many-a, many-b"));
  server->execute("many-a", "UPDATE condenser_study SET value = '5' WHERE key = 'schema'");
  CHECK_THROWS_WITH(search::open_study(server->url("many-a")), Catch::Contains("schema 5"));
}

TEST_CASE("a server that cannot be reached is an error without the password", "[search]") {
  for (const std::string url :
       {"postgresql://ana:s3cr%25et@127.0.0.1:1/db", "postgresql://ana:s3cr%25et@127.0.0.1:1/db?study=x",
        "postgresql://127.0.0.1:1/db?user=ana&password=s3cr%25et", "postgresql://ana:s3cr%25et@127.0.0.1:nine/db",
        "postgresql://ana:s3cr%25et@[127.0.0.1/db", "postgresql://ana:s3cr%25et@127.0.0.1:1/db?nonsense=1"}) {
    INFO(url);
    CHECK_THROWS_WITH(search::open_study(url), Catch::Contains("127.0.0.1") && !Catch::Contains("s3cr"));
  }
}
