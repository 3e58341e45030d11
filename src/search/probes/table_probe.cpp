#include "search/probes/table_probe.hpp"

#include <map>

namespace condenser::search {
namespace {

class TableProbe final : public Probe {
 public:
  TableProbe(const TableSpace& space, Answer answer) : space_(space), answer_(answer) {
    for (const TableSpace::Network& n : space.networks()) networks_.emplace(n.hash, &n);
  }
  std::string name() const override { return "table"; }
  double cost_seconds() const override { return 0; }
  std::vector<std::string> finds() const override { return {"val_accuracy"}; }

  void ask(const Candidate& candidate, const ProbeContext& context, Findings& findings) override {
    const TableSpace::Network& n = *networks_.at(candidate.hash);
    findings.metrics["val_accuracy"] = answer(n, context);
  }

 private:
  double answer(const TableSpace::Network& n, const ProbeContext& context) const {
    if (answer_ == Answer::Mean) return n.reward;
    return answer_ == Answer::Ladder && context.fidelity < 1 ? n.shorter : noisy(n, context.seed);
  }

  // One of the trainings of one of the equal networks.
  double noisy(const TableSpace::Network& n, uint64_t seed) const {
    core::Rng rng(seed, 0x6e6f6973);  // "nois"
    const LookUp::Row& row = space_.table().rows[static_cast<size_t>(n.rows[rng.below(n.rows.size())])];
    return row.noise.empty() ? row.reward : row.noise[rng.below(row.noise.size())];
  }

  const TableSpace& space_;
  Answer answer_;
  std::map<core::Hash128, const TableSpace::Network*> networks_;
};

}  // namespace

std::unique_ptr<Probe> make_table_probe(const TableSpace& space, Answer answer) {
  return std::make_unique<TableProbe>(space, answer);
}

}  // namespace condenser::search
