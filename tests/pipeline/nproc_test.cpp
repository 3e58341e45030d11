// Training by several real processes: one machine's --nproc and a launcher's environment; killed, stopped, resumed.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <thread>

#include "pipeline/pipeline.hpp"

using namespace condenser::tests;

namespace {

std::string run_file(const TempFolder& folder) {
  return own_network_run(folder, "two", 600,
                         "epochs: 4, batch_size: 50, checkpoint_steps: 3, ema_decay: 0.9, rank_timeout: 60");
}

Command train(const TempFolder& folder) { return {CONDENSER_BINARY, "train", run_file(folder), "--nproc", "2"}; }

std::string weights(const TempFolder& folder) {
  const fs::path file = folder / "runs/two/weights.safetensors";
  return fs::exists(file) ? sha256_file(file) : "missing";
}

// The uninterrupted run of two ranks, once for all tests.
const std::string& reference() {
  static const std::string hash = [] {
    const TempFolder folder;
    const Finished f = run(train(folder), folder.path());
    INFO(f.err);
    REQUIRE(f.code == 0);
    return weights(folder);
  }();
  return hash;
}

// Processes below `parent`, by the RANK in their environment.
std::vector<pid_t> ranks_of(pid_t parent) {
  std::vector<pid_t> ranks;
  std::istringstream children(
      slurp("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children"));
  for (pid_t pid = 0; children >> pid;) {
    const std::string environment = slurp("/proc/" + std::to_string(pid) + "/environ");
    const auto at = environment.find(std::string("\0RANK=", 6));
    if (at == std::string::npos) continue;
    const auto rank = static_cast<size_t>(std::stoi(environment.substr(at + 6)));
    if (ranks.size() <= rank) ranks.resize(rank + 1, 0);
    ranks[rank] = pid;
  }
  return ranks;
}

bool until(const std::function<bool()>& done) {
  for (int i = 0; i < 6000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

// A zombie has ended too: whoever runs these tests need not ask for its exit status.
bool ended(pid_t pid) {
  const std::string stat = slurp("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(')');
  return name_end == std::string::npos || stat.compare(name_end, 4, ") Z ") == 0;
}

bool stopped(pid_t pid) {
  const std::string stat = slurp("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.compare(name_end, 4, ") T ") == 0;
}

// In the middle of training, behind a checkpoint, both ranks stand still.
Command standing_still(const TempFolder& folder) {
  return condenser::tests::stopping_at("STOP@train:step:4", train(folder));
}

std::vector<pid_t> wait_for_training(Process& process) {
  std::vector<pid_t> ranks;
  REQUIRE(until([&] {
    ranks = ranks_of(process.pid());
    return (ranks.size() == 2 && stopped(ranks[0]) && stopped(ranks[1])) || !process.running();
  }));
  REQUIRE(ranks.size() == 2);
  return ranks;
}

void go_on(const std::vector<pid_t>& ranks) {
  for (const pid_t rank : ranks) kill(rank, SIGCONT);
}

void check_resumed(const TempFolder& folder) {
  const Finished end = run(train(folder), folder.path());
  INFO(end.err);
  CHECK(end.code == 0);
  CHECK_THAT(end.out, Catch::Contains("resumed at step"));
  CHECK(weights(folder) == reference());
}

}  // namespace

TEST_CASE("two processes train, one speaks", "[pipeline][slow][ranks]") {
  const TempFolder folder;
  const Finished f = run(train(folder), folder.path());
  INFO(f.err);
  REQUIRE(f.code == 0);
  CHECK(weights(folder) == reference());
  CHECK_THAT(f.out, Catch::Contains("Training of"));
  CHECK(f.out.find("Training of") == f.out.rfind("Training of"));
  const Finished again = run(train(folder), folder.path());
  CHECK(again.code == 0);
  CHECK_THAT(again.out, Catch::Contains("finished before"));
}

TEST_CASE("a rank killed with -9 is named, the others end, and the run goes on", "[pipeline][slow][ranks]") {
  const TempFolder folder;
  const size_t victim = GENERATE(0, 1);
  Process process(standing_still(folder), folder.path());
  const auto ranks = wait_for_training(process);
  kill(ranks[victim], SIGKILL);
  go_on(ranks);
  const Finished f = process.wait();
  INFO(f.err);
  CHECK(f.code == 1);
  CHECK_THAT(f.err, Catch::Contains("rank " + std::to_string(victim) + " of 2 (pid " + std::to_string(ranks[victim])) &&
                        Catch::Contains("signal 9"));
  for (const pid_t rank : ranks) CHECK(ended(rank));
  check_resumed(folder);
}

TEST_CASE("signals to the parent save and end with one code", "[pipeline][slow][ranks]") {
  const TempFolder folder;
  const auto [signal_number, code] = GENERATE(table<int, int>({{SIGTERM, 143}, {SIGINT, 130}, {SIGUSR2, 75}}));
  Process process(standing_still(folder), folder.path());
  const auto ranks = wait_for_training(process);
  process.send(signal_number);
  go_on(ranks);
  const Finished f = process.wait();
  INFO(f.err);
  CHECK(f.code == code);
  CHECK_THAT(f.err, Catch::Contains("go on with: condenser train") && Catch::Contains("--nproc 2"));
  CHECK_THAT(f.err, !Catch::Contains("error:"));
  for (const pid_t rank : ranks) CHECK(ended(rank));
  check_resumed(folder);
}

TEST_CASE("ranks end when their parent is killed", "[pipeline][slow][ranks]") {
  const TempFolder folder;
  Process process(standing_still(folder), folder.path());
  const auto ranks = wait_for_training(process);
  process.kill_now();
  go_on(ranks);
  for (const pid_t rank : ranks) CHECK(until([&] { return ended(rank); }));
  check_resumed(folder);
}

TEST_CASE("two processes of a launcher meet over TCP", "[pipeline][slow][ranks]") {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  REQUIRE(bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0);
  getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  close(probe);
  const TempFolder folder;
  const auto rank = [&](const std::string& number) {
    return Command{"env",
                   "RANK=" + number,
                   "WORLD_SIZE=2",
                   "LOCAL_RANK=" + number,
                   "LOCAL_WORLD_SIZE=2",
                   "MASTER_ADDR=localhost",
                   "MASTER_PORT=" + std::to_string(ntohs(address.sin_port)),
                   CONDENSER_BINARY,
                   "train",
                   run_file(folder)};
  };
  Process second(rank("1"), folder.path());
  Process first(rank("0"), folder.path());
  const Finished a = first.wait(), b = second.wait();
  INFO(a.err << b.err);
  CHECK(a.code == 0);
  CHECK(b.code == 0);
  CHECK(b.out.empty());
  CHECK(b.err.empty());
  CHECK(weights(folder) == reference());

  Command half = rank("0");
  half.erase(half.begin() + 2);
  const Finished refused = run(half, folder.path());
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, Catch::Contains("WORLD_SIZE is missing"));
}
