// A space of one's own, as CONTRIBUTING.md tells to write one: this file would be src/search/spaces/squeeze.cpp, and
// the function at its end a row of the table in src/search/space.cpp. It is compiled and checked with the others.
//
//   stem -> `depth` times (1x1 to `squeeze`, 3x3 in columns to `width`) -> pool, linear

#include "condenser/arch/blocks.hpp"
#include "search/spaces/options.hpp"

namespace condenser::search {
namespace {

struct Places {
  size_t width, squeeze, depth, columns;
};

class SqueezeSpace final : public Space {
 public:
  SqueezeSpace(const SpaceContext& context, Places places, std::vector<Decision> decisions)
      : context_(context), places_(places), decisions_(std::move(decisions)) {}

  const std::vector<Decision>& decisions() const override { return decisions_; }

  Candidate expand(const Genotype& genotype) const override {
    const Taken taken(*this, genotype);
    arch::Builder b("squeeze", context_.input);
    int x = arch::conv_bn_act(b, b.input(), "stem", {.out = 8, .kernel = 3});
    for (int i = 1; i <= taken[places_.depth]; ++i) {
      const arch::Builder::Scope scope(b, "b" + std::to_string(i));
      x = arch::conv_bn_act(b, x, "squeeze", {.out = taken[places_.squeeze], .kernel = 1});
      x = arch::conv_bn_act(b, x, "wide", {.out = taken[places_.width], .kernel = 3, .groups = taken[places_.columns]});
    }
    arch::classifier_head(b, x, context_.classes);
    return arch::design_of(b);
  }

 private:
  SpaceContext context_;
  Places places_;
  std::vector<Decision> decisions_;
};

}  // namespace

std::unique_ptr<Space> make_own_space(core::config::Reader& reader, const SpaceContext& context) {
  check_context("squeeze", context);
  DecisionList list;
  Places places{};
  places.width = list.integers(reader, "", "width", {16, 24, 32}, 4, 1024, "channels of the 3x3 convolutions", 4);
  places.squeeze = list.integers(reader, "", "squeeze", {4, 8}, 4, 1024, "channels of the 1x1 before them", 4);
  places.depth = list.integers(reader, "", "depth", {1, 2, 3}, 1, 32, "how often");
  places.columns = list.integers(reader, "", "columns", {2, 4}, 1, 4, "groups of the 3x3 convolutions");
  for (const int v : list.decisions[places.columns].options)
    if (v == 3) throw reader.error("columns", "1, 2 or 4");
  return std::make_unique<SqueezeSpace>(context, places, std::move(list.decisions));
}

}  // namespace condenser::search
