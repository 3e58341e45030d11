// What every space shares: sampling, mutation, crossover, encoding, what users forbid and believe, and the table of
// spaces. Which decisions exist and what they mean is left to spaces/.

#include "condenser/search/space.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "condenser/core/text.hpp"
#include "search/spaces/inputs.hpp"
#include "search/spaces/weight_bits.hpp"
#include "search/tables.hpp"

namespace condenser::search {

const std::vector<SpaceRow>& spaces() {
  static const std::vector<SpaceRow> table = {
      {"columns", "stages of column blocks: widths, depths, columns, attention, merge position", make_columns_space},
      {"stages", "stages around a prototype: width, depth, kernel, expansion of residual or inverted blocks",
       make_stages_space},
      {"attendnext", "the published column networks: four columns, a double-condensing block opens each stage",
       make_attendnext_space},
      {"condenser_kws", "attention condensers over features of sounds, between two convolutions",
       make_condenser_kws_space},
      {"temporal", "one-dimensional networks over time: features as channels, inverted depthwise blocks",
       make_temporal_space},
      {"table", "a finished search as a file: rewards and costs of every network are looked up", make_table_space},
  };
  return table;
}

core::Hash128 identity(const Candidate& candidate) {
  if (candidate.spec.nodes.empty()) return candidate.hash;
  const core::Hash128 network = arch::hash(candidate.spec);
  const std::string input = to_text(candidate.input);
  return input.empty() ? network : core::hash128(network.hex() + " " + input);
}

core::Fingerprint fingerprint(const Candidate& candidate) {
  core::Mixer mixer;
  if (!candidate.spec.nodes.empty()) {
    const core::Fingerprint network = arch::fingerprint(candidate.spec);
    if (candidate.input == InputChoice()) return network;
    mixer.add(network);
    for (const char letter : to_text(candidate.input)) mixer.add(static_cast<unsigned char>(letter));
    return mixer.finish();
  }
  for (const uint8_t byte : candidate.hash.bytes) mixer.add(byte);
  return mixer.finish();
}

std::optional<double> cost(const Candidate& candidate, const Metric& metric) {
  if (const auto found = candidate.costs.find(metric.name); found != candidate.costs.end()) return found->second;
  if (metric.of_design == nullptr || candidate.spec.nodes.empty()) return std::nullopt;
  const int64_t value = metric.of_design(candidate);
  return value < 0 ? std::nullopt : std::optional(static_cast<double>(value));
}

Graph graph(const Candidate& candidate) { return candidate.graph ? *candidate.graph : graph_of(candidate.lowered); }

namespace {

constexpr int kTries = 10'000;  // draws before a space counts as empty
constexpr int kFewTries = 200;  // children of one genotype
constexpr int kCountSteps = 1'000'000;
constexpr int kEstimateDraws = 100'000;

std::vector<std::string> names_of(const Space& space) {
  std::vector<std::string> names;
  for (const Decision& d : space.decisions()) names.push_back(d.name);
  return names;
}

std::string options_text(const Decision& d) {
  std::vector<std::string> options;
  for (size_t i = 0; i < d.options.size(); ++i) options.push_back(option_text(d, static_cast<int>(i)));
  return core::join(options, ", ");
}

size_t place_of(const Space& space, const std::string& decision) {
  const std::vector<std::string> names = names_of(space);
  const auto found = std::find(names.begin(), names.end(), decision);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  const std::string near = core::config::nearest(decision, names);
  throw core::Error("decision " + core::printable(decision) + " is not in the space" +
                    (near.empty() ? "; it has " + core::join(names, ", ") : "; did you mean " + near + "?"));
}

int choice_of(const Decision& d, const std::string& option) {
  for (size_t i = 0; i < d.options.size(); ++i) {
    if (option_text(d, static_cast<int>(i)) == option) return static_cast<int>(i);
  }
  throw core::Error(d.name + " = " + core::printable(option) + "; expected one of " + options_text(d));
}

bool matches(const Combination& row, const Genotype& genotype) {
  return std::all_of(row.choices.begin(), row.choices.end(), [&](const auto& taken) {
    return std::find(taken.second.begin(), taken.second.end(), genotype.choice[taken.first]) != taken.second.end();
  });
}

const Combination* forbidding(const Space& space, const Genotype& genotype) {
  for (const Combination& row : space.forbidden()) {
    if (matches(row, genotype)) return &row;
  }
  return nullptr;
}

// A value, or a list of values: any of them.
std::vector<std::string> texts_of(core::config::Reader& reader, const std::string& key, const std::string& help) {
  std::vector<std::string> texts;
  std::string text;
  try {
    reader.text(key, text, help);
    texts = {text};
  } catch (const core::ConfigError&) {
    reader.texts(key, texts, help);
  }
  return texts;
}

// Errors of the space, at the place of the file.
template <class Read>
auto located(const core::config::Reader& reader, const std::string& key, const Read& read) {
  try {
    return read();
  } catch (const core::ConfigError&) {
    throw;
  } catch (const core::Error& error) {
    throw core::ConfigError(reader.where(key) + ": " + error.what());
  }
}

Combination read_row(core::config::Reader& reader, const Space& space) {
  Combination row;
  for (const std::string& key : reader.keys()) {
    located(reader, key, [&] {
      const size_t place = place_of(space, key);
      for (const std::string& text : texts_of(reader, key, "option, or list of options"))
        row.choices[place].push_back(choice_of(space.decisions()[place], text));
      if (row.choices[place].empty()) throw reader.error(key, "an option, or a list of options");
    });
  }
  return row;
}

std::vector<std::vector<double>> read_beliefs(core::config::Reader& reader, const Space& space) {
  constexpr double kLeast = 1e-6, kMost = 1e6;
  std::vector<std::vector<double>> weights;
  for (const Decision& d : space.decisions()) weights.emplace_back(d.options.size(), 1.0);
  for (const std::string& key : reader.keys()) {
    const size_t place = located(reader, key, [&] { return place_of(space, key); });
    core::config::Reader options = reader.section(key);
    for (const std::string& option : options.keys()) {
      const int choice = located(options, option, [&] { return choice_of(space.decisions()[place], option); });
      options.number(option, weights[place][static_cast<size_t>(choice)], kLeast, kMost,
                     "weight of this option; 1 where none is given");
    }
  }
  return weights;
}

// What every space takes beside its own keys.
void read_wishes(core::config::Reader& reader, Space& space) {
  std::vector<Combination> rows;
  for (core::config::Reader& row :
       reader.sections("forbid", "options that may not come together, e.g. [{s1_width: 64, s2_depth: [2, 3]}]")) {
    rows.push_back(read_row(row, space));
    if (rows.back().choices.empty()) throw core::ConfigError(row.where() + ": forbid: an empty row forbids everything");
  }
  space.forbid(std::move(rows));
  core::config::Reader beliefs = reader.section(
      "beliefs", "how likely options are before anything is measured, e.g. {s1_width: {16: 3, 24: 0.5}}");
  std::vector<std::vector<double>> weights = read_beliefs(beliefs, space);
  // A resolved configuration spells out the empty section: still no beliefs, and the same draws.
  const bool even = std::ranges::all_of(weights, [](const std::vector<double>& of_decision) {
    return std::ranges::all_of(of_decision, [](double weight) { return weight == 1; });
  });
  if (!even) space.believe(std::move(weights));
  if (!space.forbidden().empty() && size_of(space).legal < 1)
    throw core::ConfigError(reader.where("forbid") + ": forbid leaves no genotype of the space");
}

// Genotypes that no row matches. Only decisions that rows name are gone through; a row that cannot match any more is
// dropped on the way.
class Counter {
 public:
  explicit Counter(const Space& space) : space_(space) {
    for (const Combination& row : space.forbidden())
      for (const auto& taken : row.choices) named_.insert(taken.first);
    double others = 1;
    for (size_t d = 0; d < space.decisions().size(); ++d)
      if (!named_.contains(d)) others *= options(d);
    others_ = others;
  }

  std::optional<double> count() {
    std::vector<const Combination*> live;
    for (const Combination& row : space_.forbidden()) live.push_back(&row);
    const double found = others_ * count(named_.begin(), live);
    return steps_ > kCountSteps ? std::nullopt : std::optional(found);
  }

 private:
  double options(size_t decision) const { return static_cast<double>(space_.decisions()[decision].options.size()); }

  double count(std::set<size_t>::const_iterator at, const std::vector<const Combination*>& live) {
    if (++steps_ > kCountSteps) return 0;
    if (live.empty()) {
      double product = 1;
      for (; at != named_.end(); ++at) product *= options(*at);
      return product;
    }
    if (at == named_.end()) return 0;  // what is live has matched to the end
    double sum = 0;
    for (int choice = 0; choice < static_cast<int>(options(*at)); ++choice) {
      std::vector<const Combination*> left;
      bool matched = false;
      for (const Combination* row : live) {
        const auto taken = row->choices.find(*at);
        const bool may = taken == row->choices.end() ||
                         std::find(taken->second.begin(), taken->second.end(), choice) != taken->second.end();
        if (!may) continue;
        matched |= row->choices.rbegin()->first <= *at;
        left.push_back(row);
      }
      if (!matched) sum += count(std::next(at), left);
    }
    return sum;
  }

  const Space& space_;
  std::set<size_t> named_;
  double others_ = 1;
  int steps_ = 0;
};

void check_choices(const Space& space, const Genotype& genotype) {
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

// In proportion to the weights, which are positive.
int weighted(const std::vector<double>& weights, core::Rng& rng) {
  double left = 0;
  for (const double w : weights) left += w;
  left *= rng.uniform();
  size_t option = 0;
  while (option + 1 < weights.size() && left >= weights[option]) left -= weights[option++];
  return static_cast<int>(option);
}

Genotype draw(const Space& space, core::Rng& rng) {
  Genotype genotype;
  for (size_t i = 0; i < space.decisions().size(); ++i) {
    genotype.choice.push_back(space.prior().empty() ? static_cast<int>(rng.below(space.decisions()[i].options.size()))
                                                    : weighted(space.prior()[i], rng));
  }
  return genotype;
}

// The first legal one of so many; none: not found.
template <class Draw>
std::optional<Genotype> first_legal(const Space& space, int tries, const Draw& next) {
  for (; tries > 0; --tries) {
    Genotype genotype = next();
    if (forbidding(space, genotype) == nullptr) return genotype;
  }
  return std::nullopt;
}

}  // namespace

void Space::forbid(std::vector<Combination> rows) {
  for (const Combination& row : rows) {
    for (const auto& [place, choices] : row.choices) {
      if (place >= decisions().size())
        throw core::Error("forbid: decision " + std::to_string(place) + "; the space has " +
                          std::to_string(decisions().size()));
      for (const int choice : choices) {
        if (choice < 0 || choice >= std::ssize(decisions()[place].options))
          throw core::Error("forbid: " + decisions()[place].name + " = choice " + std::to_string(choice) +
                            "; expected 0.." + std::to_string(decisions()[place].options.size() - 1));
      }
    }
  }
  forbidden_ = std::move(rows);
}

void Space::believe(std::vector<std::vector<double>> weights) {
  bool fits = weights.size() == decisions().size();
  for (size_t i = 0; fits && i < weights.size(); ++i) {
    fits = weights[i].size() == decisions()[i].options.size() &&
           std::all_of(weights[i].begin(), weights[i].end(), [](double w) { return w > 0 && std::isfinite(w); });
  }
  if (!fits && !weights.empty()) throw core::Error("beliefs: expected a positive weight for each option");
  prior_ = std::move(weights);
}

std::unique_ptr<Space> make_space(core::config::Reader& reader, const SpaceContext& context) {
  std::vector<std::string> names;
  for (const SpaceRow& row : spaces()) names.push_back(row.name);
  std::string name = names.front();
  reader.choice("space", name, names, "what is searched; further keys of this section narrow it");
  for (const SpaceRow& row : spaces()) {
    if (row.name == name) return make_space(row, reader, context);
  }
  throw core::ConfigError("space " + name + " is not in the table of spaces");
}

std::unique_ptr<Space> make_space(const SpaceRow& row, core::config::Reader& reader, const SpaceContext& context) {
  auto space = with_weight_bits(reader, make_with_inputs(row, reader, context));
  read_wishes(reader, *space);
  return space;
}

void check(const Space& space, const Genotype& genotype) {
  check_choices(space, genotype);
  if (const Combination* row = forbidding(space, genotype))
    throw core::Error("genotype is forbidden by the row " + to_text(space, *row) + " of the space");
}

bool legal(const Space& space, const Genotype& genotype) { return forbidding(space, genotype) == nullptr; }

int value(const Space& space, const Genotype& genotype, const std::string& decision) {
  check(space, genotype);
  const size_t place = place_of(space, decision);
  return space.decisions()[place].options[static_cast<size_t>(genotype.choice[place])];
}

double log10_size(const Space& space) {
  double sum = 0;
  for (const Decision& d : space.decisions()) sum += std::log10(static_cast<double>(d.options.size()));
  return sum;
}

SpaceSize size_of(const Space& space) {
  SpaceSize size;
  for (const Decision& d : space.decisions()) size.genotypes *= static_cast<double>(d.options.size());
  size.legal = size.genotypes;
  if (space.forbidden().empty()) return size;
  if (const auto counted = Counter(space).count()) {
    size.legal = *counted;
    return size;
  }
  core::Rng rng(1);
  int found = 0;
  for (int i = 0; i < kEstimateDraws; ++i) {
    Genotype genotype;
    for (const Decision& d : space.decisions())
      genotype.choice.push_back(static_cast<int>(rng.below(d.options.size())));
    found += legal(space, genotype);
  }
  size.legal = size.genotypes * found / kEstimateDraws;
  size.exact = false;
  return size;
}

void for_each_genotype(const Space& space, const std::function<void(const Genotype&)>& visit) {
  Genotype genotype{std::vector<int>(space.decisions().size(), 0)};
  for (bool more = true; more;) {
    if (legal(space, genotype)) visit(genotype);
    more = false;
    for (size_t d = genotype.choice.size(); d-- > 0 && !more;) {
      more = ++genotype.choice[d] < std::ssize(space.decisions()[d].options);
      if (!more) genotype.choice[d] = 0;
    }
  }
}

Genotype sample(const Space& space, core::Rng& rng) {
  if (auto found = first_legal(space, kTries, [&] { return draw(space, rng); })) return *found;
  throw core::Error("no genotype among " + std::to_string(kTries) +
                    " drawn is legal; expected `forbid` to leave more of the space: narrow its decisions instead");
}

Genotype mutate(const Space& space, const Genotype& genotype, core::Rng& rng) {
  check(space, genotype);
  std::vector<size_t> open;  // decisions that leave a choice
  for (size_t i = 0; i < space.decisions().size(); ++i) {
    if (space.decisions()[i].options.size() > 1) open.push_back(i);
  }
  if (open.empty()) return genotype;
  return first_legal(space, kFewTries,
                     [&] {
                       Genotype child = genotype;
                       const size_t i = open[rng.below(open.size())];
                       const int other = static_cast<int>(rng.below(space.decisions()[i].options.size() - 1));
                       child.choice[i] = other < genotype.choice[i] ? other : other + 1;
                       return child;
                     })
      .value_or(genotype);
}

Genotype crossover(const Space& space, const Genotype& a, const Genotype& b, core::Rng& rng) {
  check(space, a);
  check(space, b);
  return first_legal(space, kFewTries,
                     [&] {
                       Genotype child = a;
                       for (size_t i = 0; i < child.choice.size(); ++i) {
                         if (rng.below(2) == 1) child.choice[i] = b.choice[i];
                       }
                       return child;
                     })
      .value_or(a);
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

std::string option_text(const Decision& d, int choice) {
  const auto i = static_cast<size_t>(choice);
  return d.labels.empty() ? std::to_string(d.options[i]) : d.labels[i];
}

std::string to_text(const Space& space, const Genotype& genotype) {
  check(space, genotype);
  std::string text;
  for (size_t i = 0; i < space.decisions().size(); ++i) {
    const Decision& d = space.decisions()[i];
    if (i > 0) text += ' ';
    text += d.name + "=" + option_text(d, genotype.choice[i]);
  }
  return text;
}

std::string to_text(const Space& space, const Combination& row) {
  std::vector<std::string> parts;
  for (const auto& [place, choices] : row.choices) {
    const Decision& d = space.decisions()[place];
    std::vector<std::string> options;
    for (const int choice : choices) options.push_back(option_text(d, choice));
    parts.push_back(d.name + ": " + (options.size() == 1 ? options.front() : "[" + core::join(options, ", ") + "]"));
  }
  return "{" + core::join(parts, ", ") + "}";
}

Genotype parse_genotype(const Space& space, const std::string& text) {
  std::map<std::string, std::string> options;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      throw core::Error("genotype: " + core::printable(word) + "; expected decision=option, as in \"s1_width=24\"");
    if (!options.emplace(word.substr(0, equals), word.substr(equals + 1)).second)
      throw core::Error("genotype: " + core::printable(word.substr(0, equals)) + " stands twice");
  }
  return parse_genotype(space, options);
}

Genotype parse_genotype(const Space& space, const std::map<std::string, std::string>& options) {
  Genotype genotype{std::vector<int>(space.decisions().size(), -1)};
  for (const auto& [name, option] : options) {
    const size_t place = place_of(space, name);
    genotype.choice[place] = choice_of(space.decisions()[place], option);
  }
  std::vector<std::string> missing;
  for (size_t i = 0; i < genotype.choice.size(); ++i) {
    const Decision& d = space.decisions()[i];
    if (d.options.size() == 1) genotype.choice[i] = 0;
    if (genotype.choice[i] < 0) missing.push_back(d.name);
  }
  if (!missing.empty()) throw core::Error("genotype: no option for " + core::join(missing, ", "));
  check(space, genotype);
  return genotype;
}

}  // namespace condenser::search
