#pragma once
// How spaces read their decisions from a file: a list of options under the key of each decision.

#include <string>
#include <vector>

#include "condenser/arch/blocks.hpp"
#include "condenser/search/space.hpp"

namespace condenser::search {

// Options of one decision: `options` holds the defaults and receives what the file says, ascending, at least one, each
// once. Throws ConfigError.
void read_integers(core::config::Reader&, const std::string& key, std::vector<int>& options, int min, int max,
                   const std::string& help, int step = 1);
// The same over names, stored as indices into `names`.
void read_names(core::config::Reader&, const std::string& key, std::vector<int>& options,
                const std::vector<std::string>& names, const std::string& help);
Decision named(const std::string& name, const std::vector<int>& options, const std::vector<std::string>& names);

// The decisions of a space in the order they are read. Each call gives the place of the new decision, which is called
// `prefix` + `key`.
struct DecisionList {
  std::vector<Decision> decisions;

  size_t integers(core::config::Reader&, const std::string& prefix, const std::string& key, std::vector<int> options,
                  int min, int max, const std::string& help, int step = 1);
  size_t names(core::config::Reader&, const std::string& prefix, const std::string& key, std::vector<int> options,
               const std::vector<std::string>& names, const std::string& help);
};

// The options that a genotype takes, by place of the decision. Throws core::Error for an illegal genotype.
class Taken {
 public:
  Taken(const Space& space, const Genotype& genotype) : decisions_(space.decisions()), choice_(genotype.choice) {
    check(space, genotype);
  }
  int operator[](size_t place) const { return decisions_[place].options[static_cast<size_t>(choice_[place])]; }

 private:
  const std::vector<Decision>& decisions_;
  const std::vector<int>& choice_;
};

extern const std::vector<std::string> kActivationNames;  // "relu", "silu", "relu6", "hard_swish"
arch::ActivationKind activation_of(int option);          // an index into those

// Forms of the double-condensing attention: false, true (as published), rescaled, normalized.
extern const std::vector<std::string> kAttentionNames;
extern const char* const kAttentionHelp;
void set_attention(arch::ColumnOptions&, int option);  // an index into those

extern const std::vector<std::string> kDownsamplingNames;  // of arch::kDownsamplings

// Strides among `strides` (ascending) that bring the shorter side of an input to 17 to 56 pixels, where stages begin;
// smaller inputs keep all they have, larger ones get the largest stride.
std::vector<int> fitting_strides(const arch::Shape& input, const std::vector<int>& strides);

// Halving a map of one pixel leaves nothing: `side` pixels are to be divided by each of `strides` in turn. Throws
// ConfigError at `key`.
void check_extent(const core::config::Reader&, const std::string& key, const std::vector<int>& strides, int64_t side,
                  const arch::Shape& input);

// Strides of the first block of each of so many stages, 1 or 2.
void read_strides(core::config::Reader&, std::vector<int>& strides, int stages);

void check_context(const std::string& space, const SpaceContext&);  // throws core::Error without input or classes

}  // namespace condenser::search
