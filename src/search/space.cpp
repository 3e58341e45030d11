// What every space shares: sampling, mutation, crossover, encoding and the table of spaces. Which decisions exist and
// what they mean is left to spaces/.

#include "condenser/search/space.hpp"

#include <cmath>

#include "search/tables.hpp"

namespace condenser::search {

const std::vector<SpaceRow>& spaces() {
  static const std::vector<SpaceRow> table = {
      {"columns", "stages of column blocks: widths, depths, columns, attention, merge position", make_columns_space},
  };
  return table;
}

core::Hash128 identity(const Candidate& candidate) {
  return candidate.spec.nodes.empty() ? candidate.hash : arch::hash(candidate.spec);
}

core::Fingerprint fingerprint(const Candidate& candidate) {
  if (!candidate.spec.nodes.empty()) return arch::fingerprint(candidate.spec);
  core::Mixer mixer;
  for (const uint8_t byte : candidate.hash.bytes) mixer.add(byte);
  return mixer.finish();
}

std::optional<double> cost(const Candidate& candidate, const Metric& metric) {
  if (const auto found = candidate.costs.find(metric.name); found != candidate.costs.end()) return found->second;
  if (metric.of_design == nullptr || candidate.spec.nodes.empty()) return std::nullopt;
  return static_cast<double>(metric.of_design(candidate));
}

Graph graph(const Candidate& candidate) { return candidate.graph ? *candidate.graph : graph_of(candidate.lowered); }

std::unique_ptr<Space> make_space(core::config::Reader& reader, const SpaceContext& context) {
  std::vector<std::string> names;
  for (const SpaceRow& row : spaces()) names.push_back(row.name);
  std::string name = names.front();
  reader.choice("space", name, names, "what is searched; further keys of this section narrow it");
  for (const SpaceRow& row : spaces()) {
    if (row.name == name) return row.make(reader, context);
  }
  throw core::ConfigError("space " + name + " is not in the table of spaces");
}

void check(const Space& space, const Genotype& genotype) {
  const std::vector<Decision>& decisions = space.decisions();
  if (genotype.choice.size() != decisions.size()) {
    throw core::Error("genotype has " + std::to_string(genotype.choice.size()) + " choices; the space has " +
                      std::to_string(decisions.size()) + " decisions; was it made for another space?");
  }
  for (size_t i = 0; i < decisions.size(); ++i) {
    const int count = static_cast<int>(decisions[i].options.size());
    if (genotype.choice[i] < 0 || genotype.choice[i] >= count) {
      throw core::Error("genotype: " + decisions[i].name + " = choice " + std::to_string(genotype.choice[i]) +
                        "; expected 0.." + std::to_string(count - 1));
    }
  }
}

int value(const Space& space, const Genotype& genotype, const std::string& decision) {
  check(space, genotype);
  std::vector<std::string> names;
  for (size_t i = 0; i < space.decisions().size(); ++i) {
    const Decision& d = space.decisions()[i];
    if (d.name == decision) return d.options[static_cast<size_t>(genotype.choice[i])];
    names.push_back(d.name);
  }
  const std::string near = core::config::nearest(decision, names);
  throw core::Error("decision " + decision + " is not in the space" + (near.empty() ? "" : "; did you mean " + near));
}

double log10_size(const Space& space) {
  double sum = 0;
  for (const Decision& d : space.decisions()) sum += std::log10(static_cast<double>(d.options.size()));
  return sum;
}

Genotype sample(const Space& space, core::Rng& rng) {
  Genotype genotype;
  for (const Decision& d : space.decisions()) genotype.choice.push_back(static_cast<int>(rng.below(d.options.size())));
  return genotype;
}

Genotype mutate(const Space& space, const Genotype& genotype, core::Rng& rng) {
  check(space, genotype);
  std::vector<size_t> open;  // decisions that leave a choice
  for (size_t i = 0; i < space.decisions().size(); ++i) {
    if (space.decisions()[i].options.size() > 1) open.push_back(i);
  }
  Genotype child = genotype;
  if (open.empty()) return child;
  const size_t i = open[rng.below(open.size())];
  const int other = static_cast<int>(rng.below(space.decisions()[i].options.size() - 1));
  child.choice[i] = other < genotype.choice[i] ? other : other + 1;
  return child;
}

Genotype crossover(const Space& space, const Genotype& a, const Genotype& b, core::Rng& rng) {
  check(space, a);
  check(space, b);
  Genotype child = a;
  for (size_t i = 0; i < child.choice.size(); ++i) {
    if (rng.below(2) == 1) child.choice[i] = b.choice[i];
  }
  return child;
}

std::vector<double> one_hot(const Space& space, const Genotype& genotype) {
  check(space, genotype);
  std::vector<double> code;
  for (size_t i = 0; i < space.decisions().size(); ++i) {
    const size_t first = code.size();
    code.resize(first + space.decisions()[i].options.size(), 0.0);
    code[first + static_cast<size_t>(genotype.choice[i])] = 1.0;
  }
  return code;
}

std::string to_text(const Space& space, const Genotype& genotype) {
  check(space, genotype);
  std::string text;
  for (size_t i = 0; i < space.decisions().size(); ++i) {
    const Decision& d = space.decisions()[i];
    const auto choice = static_cast<size_t>(genotype.choice[i]);
    if (i > 0) text += ' ';
    text += d.name + "=" + (d.labels.empty() ? std::to_string(d.options[choice]) : d.labels[choice]);
  }
  return text;
}

}  // namespace condenser::search
