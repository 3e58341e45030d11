#include "support/studies.hpp"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <bit>

#include "condenser/core/rng.hpp"
#include "condenser/core/temporary_folder.hpp"
#ifdef CONDENSER_POSTGRESQL
#include "support/postgresql_server.hpp"
#endif

namespace condenser::tests {
namespace {

using search::Trial;
using search::TrialState;

class MemoryStudy final : public Study {
 public:
  std::shared_ptr<search::Store> open(search::StoreMode) override { return store_; }
  void execute(const std::string&) override {}

 private:
  std::shared_ptr<search::Store> store_ = search::make_memory_store();
};

class SqliteStudy final : public Study {
 public:
  std::shared_ptr<search::Store> open(search::StoreMode mode) override {
    return search::make_sqlite_store(file(), mode);
  }
  void execute(const std::string& statement) override {
    soci::session sql(soci::sqlite3, "db=\"" + file() + "\"");
    sql << statement;
  }

 private:
  std::string file() const { return (folder_.path() / "a study.sqlite").string(); }
  core::TemporaryFolder folder_;
};

#ifdef CONDENSER_POSTGRESQL
class PostgresqlStudy final : public Study {
 public:
  explicit PostgresqlStudy(PostgresqlServer& server) : server_(server) {}
  std::shared_ptr<search::Store> open(search::StoreMode mode) override {
    return search::open_study(server_.url(name_), mode);
  }
  void execute(const std::string& statement) override { server_.execute(name_, statement); }

 private:
  static std::string next_name() {
    static int count = 0;
    return "test-" + std::to_string(++count);
  }
  PostgresqlServer& server_;
  std::string name_ = next_name();
};
#endif

std::vector<StudyMaker> all_makers() {
  std::vector<StudyMaker> makers = {
      {"memory", false, [] { return std::make_unique<MemoryStudy>(); }},
      {"SQLite", true, [] { return std::make_unique<SqliteStudy>(); }},
  };
#ifdef CONDENSER_POSTGRESQL
  if (PostgresqlServer* server = common_postgresql_server())
    makers.push_back({"PostgreSQL", true, [server] { return std::make_unique<PostgresqlStudy>(*server); }});
#endif
  return makers;
}

bool same_bits(double a, double b) { return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b); }

bool same(const std::map<std::string, double>& a, const std::map<std::string, double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && same_bits(x.second, y.second); });
}

bool same(const std::map<std::string, std::vector<double>>& a, const std::map<std::string, std::vector<double>>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first &&
           std::equal(x.second.begin(), x.second.end(), y.second.begin(), y.second.end(), same_bits);
  });
}

}  // namespace

const std::vector<StudyMaker>& study_makers() {
  static const std::vector<StudyMaker> makers = all_makers();
  return makers;
}

Trial a_trial(int64_t index, uint64_t seed) {
  core::Rng rng(seed, 0, static_cast<uint64_t>(index));
  Trial trial;
  trial.index = index;
  trial.genotype.choice = {static_cast<int>(rng.below(9)), 0, static_cast<int>(rng.below(1000))};
  trial.hash = core::hash128("network " + std::to_string(index));
  trial.state = static_cast<TrialState>(index % 3);
  trial.verdicts = {{"max_arena_bytes", index % 3 != 1, "s1_b1", "26,880 bytes", "at most 24,000 bytes"},
                    {"column_layout", true, "", "it's \"quoted\"; DROP TABLE trials; :colon", "\xC3\xA9\n2"}};
  trial.findings.metrics = {{"val_accuracy", rng.uniform() * 100}, {"params", 1e9 + static_cast<double>(index)}};
  trial.findings.node_scores = {{"stem", rng.normal()}, {"fc", -rng.uniform()}};
  trial.findings.curves = {{"val_accuracy", {rng.uniform(), rng.uniform()}}, {"nothing", {}}};
  trial.error = index % 3 == 2 ? "loss is not finite" : "";
  trial.seconds = rng.uniform();
  trial.rung = static_cast<int>(index % 2);
  trial.fidelity = index % 2 == 0 ? 0.1 : 1;
  trial.by = index % 2 == 0 ? "pool" : "";
  trial.reason = "mean + 2.5 deviations\tis largest";
  if (index % 2 == 0) trial.forecast = search::Forecast{rng.uniform(), -rng.uniform(), 1e300, 0.1};
  trial.worker = "host:" + std::to_string(index);
  trial.tries = 1 + static_cast<int>(index % 2);
  return trial;
}

Trial a_proposal(int64_t index) {
  Trial trial;
  trial.index = index;
  trial.genotype.choice = {static_cast<int>(index), 1};
  trial.hash = core::hash128("network " + std::to_string(index));
  trial.state = TrialState::Proposed;
  trial.verdicts = {{"max_params", true, "", "100", "at most 1,000"}};
  trial.by = "pool";
  return trial;
}

bool same(const Trial& a, const Trial& b) {
  return a.index == b.index && a.genotype == b.genotype && a.hash == b.hash && a.state == b.state &&
         a.same_as == b.same_as && a.verdicts == b.verdicts && same(a.findings.metrics, b.findings.metrics) &&
         same(a.findings.node_scores, b.findings.node_scores) && same(a.findings.curves, b.findings.curves) &&
         a.error == b.error && same_bits(a.seconds, b.seconds) && a.rung == b.rung &&
         same_bits(a.fidelity, b.fidelity) && a.by == b.by && a.reason == b.reason && a.forecast == b.forecast &&
         a.worker == b.worker && a.tries == b.tries;
}

bool same(const std::vector<Trial>& a, const std::vector<Trial>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Trial& x, const Trial& y) { return same(x, y); });
}

}  // namespace condenser::tests
