#include "search/stores/sqlite_legacy.hpp"

#include <map>

#include "condenser/core/text.hpp"
#include "search/stores/trial_row.hpp"

namespace condenser::search {
namespace {

using soci::into;

std::string checksum(const Trial& trial) {
  std::string all;
  const auto add = [&](const std::string& text) { all += std::to_string(text.size()) + ":" + text; };
  for (const std::string& text :
       {std::to_string(trial.index), choice_text(trial.genotype), trial.hash.hex(), std::string(to_string(trial.state)),
        std::to_string(trial.same_as), trial.error, core::number(trial.seconds)}) {
    add(text);
  }
  for (const Verdict& v : trial.verdicts) {
    for (const std::string& text : {v.rule, std::string(v.passed ? "1" : "0"), v.node, v.value, v.limit}) add(text);
  }
  for (const auto* values : {&trial.findings.metrics, &trial.findings.node_scores}) {
    add(std::to_string(values->size()));
    for (const auto& [name, value] : *values) {
      add(name);
      add(core::number(value));
    }
  }
  return core::hash128(all).hex();
}

TrialState parse_state(const std::string& text) {
  for (TrialState state : {TrialState::Done, TrialState::Refused, TrialState::Failed}) {
    if (text == to_string(state)) return state;
  }
  throw core::Error("state \"" + text + "\"");
}

class Reader {
 public:
  Reader(soci::session& sql, const std::string& study) : sql_(sql), study_(study) {}

  void read() {
    read_trials();
    read_verdicts();
    read_findings();
  }

  void check_checksums() {
    long long index = 0;
    std::string stored;
    soci::statement rows = (sql_.prepare << "SELECT trial, checksum FROM trials", into(index), into(stored));
    rows.execute();
    while (rows.fetch()) {
      if (checksum(trials_.at(index)) == stored) continue;
      throw bad_row(index, "its checksum is not that of its values, which somebody or something has changed");
    }
  }

  std::vector<Trial> trials() && {
    std::vector<Trial> all;
    for (auto& [index, trial] : trials_) all.push_back(std::move(trial));
    return all;
  }

 private:
  core::Error bad_row(int64_t trial, const std::string& what) const {
    return core::Error(study_ + ": trial " + std::to_string(trial) + ": " + what +
                       "; the study is damaged: restore it or start afresh");
  }

  Trial& trial_of(int64_t index, const char* what) {
    const auto it = trials_.find(index);
    if (it == trials_.end()) throw bad_row(index, std::string("a ") + what + " of a trial that is not stored");
    return it->second;
  }

  void read_trials() {
    long long index = 0, same_as = 0;
    std::string genotype, hash, state, error, seconds;
    soci::statement rows =
        (sql_.prepare << "SELECT trial, genotype, hash, state, same_as, error, seconds FROM trials", into(index),
         into(genotype), into(hash), into(state), into(same_as), into(error), into(seconds));
    rows.execute();
    while (rows.fetch()) {
      try {
        Trial trial;
        trial.index = index;
        trial.genotype = parse_choice(genotype);
        trial.hash = core::Hash128::from_hex(hash);
        trial.state = parse_state(state);
        trial.same_as = same_as;
        trial.error = error;
        trial.seconds = parse_bits(seconds);
        trials_[index] = std::move(trial);
      } catch (const core::Error& e) {
        throw bad_row(index, e.what());
      }
    }
  }

  void read_verdicts() {
    long long index = 0;
    int ok = 0;
    std::string rule, node, value, limit;
    soci::statement rows =
        (sql_.prepare << "SELECT trial, rule, passed, node, value, allowed FROM verdicts ORDER BY trial, position",
         into(index), into(rule), into(ok), into(node), into(value), into(limit));
    rows.execute();
    while (rows.fetch()) trial_of(index, "verdict").verdicts.push_back({rule, ok != 0, node, value, limit});
  }

  void read_findings() {
    long long index = 0;
    std::string kind, name, value;
    soci::statement rows = (sql_.prepare << "SELECT trial, kind, name, value FROM findings", into(index), into(kind),
                            into(name), into(value));
    rows.execute();
    while (rows.fetch()) {
      Findings& findings = trial_of(index, "finding").findings;
      try {
        (kind == "metric" ? findings.metrics : findings.node_scores)[name] = parse_bits(value);
      } catch (const core::Error& e) {
        throw bad_row(index, e.what());
      }
    }
  }

  soci::session& sql_;
  std::string study_;
  std::map<int64_t, Trial> trials_;
};

}  // namespace

std::vector<Trial> read_legacy(soci::session& sql, int schema, const std::string& study) {
  Reader reader(sql, study);
  reader.read();
  if (schema >= 2) reader.check_checksums();
  return std::move(reader).trials();
}

}  // namespace condenser::search
