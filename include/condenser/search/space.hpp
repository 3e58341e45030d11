#pragma once
// A Space is a list of named decisions; a Genotype is one choice per decision; expand() turns it into a Spec. Sampling,
// mutation, crossover and encoding are written once for all spaces.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "condenser/arch/design.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/search/graph.hpp"
#include "condenser/search/metrics.hpp"

namespace condenser::search {

struct Decision {
  std::string name;                 // "s1_width"
  std::vector<int> options;         // at least one; ascending
  std::vector<std::string> labels;  // parallel to options: what people call them; empty: the numbers themselves
  bool operator==(const Decision&) const = default;
};

struct Genotype {
  std::vector<int> choice;  // choice[i] indexes decisions()[i].options
  auto operator<=>(const Genotype&) const = default;
};

// What stands before a network where that is part of the choice. What is not said is as the data have it.
struct InputChoice {
  int size = 0;          // of pictures: height in pixels, the width in proportion
  std::string colour;    // of pictures: grey, rgb
  int coefficients = 0;  // of sounds: MFCC
  int stride_ms = 0;     // of sounds: from frame to frame
  bool operator==(const InputChoice&) const = default;
};
std::string to_text(const InputChoice&);  // "size 20, colour grey"; "" where nothing is chosen

// What a network sees then, and what stands before it on the device.
struct PreparedInput {
  arch::Shape shape;
  int64_t constant_bytes = 0, buffer_bytes = 0;  // of a front-end: tables in flash, buffers in RAM while it runs
};

// A network with what it costs. A space that is a look-up table has no network: its candidates say for themselves what
// a network would tell.
struct Candidate : arch::Design {
  Candidate() = default;
  Candidate(arch::Design design) : arch::Design(std::move(design)) {}  // NOLINT: a design is a candidate
  core::Hash128 hash;                                                  // of a table
  std::optional<Graph> graph;                                          // of a table
  std::map<std::string, double>
      costs;                    // by metric, where they are not those of the network: of a table, with a front-end
  InputChoice input;            // what its data must be
  int64_t filling_bytes = 0;    // of RAM while a front-end fills the input, before the network runs; 0: no front-end
  int64_t front_end_bytes = 0;  // constants of that front-end
};
core::Hash128 identity(const Candidate&);                     // the name of its network, on the data that it sees
core::Fingerprint fingerprint(const Candidate&);              // equal where that is equal, and faster
std::optional<double> cost(const Candidate&, const Metric&);  // none: not known before it is examined
Graph graph(const Candidate&);

// Options that may not come together: a genotype is illegal when each decision named takes one of the choices given.
struct Combination {
  std::map<size_t, std::vector<int>> choices;  // by place of the decision; indices into its options
  bool operator==(const Combination&) const = default;
};

class Space {
 public:
  virtual ~Space() = default;
  virtual const std::vector<Decision>& decisions() const = 0;
  // Pure. The one place where a candidate is lowered and costed. Throws core::Error on an illegal genotype.
  virtual Candidate expand(const Genotype&) const = 0;

  virtual bool chooses_input() const { return false; }  // whether candidates say what their data must be

  // What a user adds to any space; make_space() reads it (`forbid`, `beliefs`).
  const std::vector<Combination>& forbidden() const { return forbidden_; }
  // How likely each option of each decision is before anything is measured: positive weights, not normalised. Empty:
  // all are alike.
  const std::vector<std::vector<double>>& prior() const { return prior_; }
  void forbid(std::vector<Combination> rows);              // throws core::Error for what is no decision or choice
  void believe(std::vector<std::vector<double>> weights);  // and for weights that do not fit the decisions

 private:
  std::vector<Combination> forbidden_;
  std::vector<std::vector<double>> prior_;
};

// What stands before the network on the device counts in its constants and its RAM.
void put_before(Candidate&, const PreparedInput&);

struct SpaceContext {
  arch::Shape input;  // of the data as they are
  int classes = 0;
  // What the data become; throws core::Error for what they cannot be. None: spaces cannot choose that.
  std::function<PreparedInput(const InputChoice&)> prepare = nullptr;
  bool frames = false;  // the rows of the input are frames of a sound, one after the other
};

// The explicit table of spaces.
struct SpaceRow {
  std::string name;
  std::string about;
  // Reads the keys that narrow the space (search/spaces/*.yaml), without finish().
  std::unique_ptr<Space> (*make)(core::config::Reader&, const SpaceContext&);
};
const std::vector<SpaceRow>& spaces();
// `reader` holds `space: <name>`, the keys of that space, and what every space takes:
//   input: {size: [20, 28], colour: [grey]}     # decisions input_size, input_colour: what the data are brought to
//   front_end: {coefficients: [10, 20], stride_ms: [10, 20]}    # of sounds; its memory counts in budgets
//   forbid: [{s1_width: 64, s2_depth: [2, 3]}]  # rows of options that may not come together
//   beliefs: {s1_width: {16: 3, 24: 0.5}}       # weights of options; 1 where none is given
// Throws ConfigError for an unknown name, decision or option, and when `forbid` leaves nothing.
std::unique_ptr<Space> make_space(core::config::Reader& reader, const SpaceContext&);
std::unique_ptr<Space> make_space(const SpaceRow&, core::config::Reader& reader, const SpaceContext&);  // that row's

// The same networks, no table's, with the lowered form, its costs and its memory as they will be exported.
using AsExported = std::function<void(arch::Design&)>;
std::unique_ptr<Space> planned_by(AsExported, std::unique_ptr<Space>);

// Throws core::Error: choices that are none, or a row of forbidden options, which is named.
void check(const Space&, const Genotype&);
bool legal(const Space&, const Genotype&);  // whether no row of forbidden options matches; choices must be in range
int value(const Space&, const Genotype&, const std::string& decision);
double log10_size(const Space&);  // of the number of genotypes, the forbidden ones among them

struct SpaceSize {
  double genotypes = 1;  // all combinations of options
  double legal = 1;      // without the forbidden ones
  bool exact = true;     // else `legal` is estimated from 100,000 draws
};
SpaceSize size_of(const Space&);
// Every legal genotype once, in order of its choices, the last decision changing fastest.
void for_each_genotype(const Space&, const std::function<void(const Genotype&)>&);

// All three give legal genotypes, drawing again where one is forbidden.
Genotype sample(const Space&, core::Rng&);  // each decision by the prior; throws core::Error when hardly any is legal
// One decision with several options changes to another option; the same genotype where no neighbour is legal.
Genotype mutate(const Space&, const Genotype&, core::Rng&);
Genotype crossover(const Space&, const Genotype&, const Genotype&, core::Rng&);  // the first where no child is legal

std::vector<double> one_hot(const Space&, const Genotype&);
std::string option_text(const Decision&, int choice);   // its label, or its number
std::string to_text(const Space&, const Combination&);  // "{s1_width: 64, s2_depth: [2, 3]}"
std::string to_text(const Space&, const Genotype&);     // "stem_width=16 activation=silu s1_width=24 ..."
// The inverse of to_text(). Decisions that leave no choice may be left out. Throws core::Error naming the decision
// or option, and the nearest that is known.
Genotype parse_genotype(const Space&, const std::string& text);
Genotype parse_genotype(const Space&, const std::map<std::string, std::string>& options);  // by name of the decision

}  // namespace condenser::search
