#include "search/probes/table_probe.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "condenser/search/table.hpp"

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
    const TableSpace::Network& n = *networks_.at(identity(candidate));
    findings.metrics["val_accuracy"] = answer(n, context);
    if (!n.curve.empty())
      findings.curves["val_accuracy"].assign(n.curve.begin(),
                                             n.curve.begin() + static_cast<ptrdiff_t>(epochs_of(n, context)));
  }

 private:
  static size_t epochs_of(const TableSpace::Network& n, const ProbeContext& context) {
    const double epochs = context.fidelity * static_cast<double>(n.curve.size());
    return static_cast<size_t>(std::clamp(std::round(epochs), 1.0, static_cast<double>(n.curve.size())));
  }

  double answer(const TableSpace::Network& n, const ProbeContext& context) const {
    if (context.fidelity < 1) return n.curve.empty() ? shorter(n) : n.curve[epochs_of(n, context) - 1];
    return answer_ == Answer::Mean ? n.reward : noisy(n, context.seed);
  }

  double shorter(const TableSpace::Network& n) const {
    if (space_.table().short_epochs == 0)
      throw core::ConfigError("table " + space_.table().name +
                              " has no short trainings; expected rungs of whole ones only");
    return n.shorter;
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

bool is_table(const Space& space) { return dynamic_cast<const TableSpace*>(&space) != nullptr; }

core::Hash128 table_content(const Space& space) {
  const auto* table = dynamic_cast<const TableSpace*>(&space);
  if (table == nullptr) throw core::Error("a space of networks has no table");
  return table->table().content;
}

std::unique_ptr<Probe> make_table_probe(const Space& space) {
  const auto* table = dynamic_cast<const TableSpace*>(&space);
  return table == nullptr ? nullptr : make_table_probe(*table, Answer::Mean);
}

}  // namespace condenser::search
