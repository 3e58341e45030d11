// The space of attention condensers over features of sounds (TinySpeech, arXiv 2008.04245): a 3x3 convolution, a chain
// of attention condensers that keep its width, a 3x3 convolution, average, classifier. The re-implemented networks of
// the zoo are members.

#include <algorithm>

#include "condenser/arch/attention_blocks.hpp"
#include "search/spaces/options.hpp"
#include "search/tables.hpp"

namespace condenser::search {
namespace {

using core::config::Reader;

constexpr int kMaxBlocks = 8;
const std::vector<std::string> kSwitch = {"false", "true"};
const std::vector<std::string> kForms = {"additive", "gated"};
const std::vector<std::string> kCondensations = {"max", "avg"};
constexpr auto kRelu = arch::ActivationKind::Relu;

struct Places {
  size_t blocks, width, stem_stride, expansion, kernel, window, condensation, form, batch_norm, last_width, last_stride;
  std::vector<size_t> embedding;  // of each block
};

class CondenserSpace final : public Space {
 public:
  CondenserSpace(const SpaceContext& context, Places places, std::vector<Decision> decisions)
      : context_(context), places_(std::move(places)), decisions_(std::move(decisions)) {}

  const std::vector<Decision>& decisions() const override { return decisions_; }

  Candidate expand(const Genotype& genotype) const override {
    const Taken taken(*this, genotype);
    arch::Builder b("condenser_kws", context_.input);
    const int width = taken[places_.width];
    int x = arch::conv_bn_act(b, b.input(), "stem", {width, 3, taken[places_.stem_stride], 1, kRelu});
    for (int i = 0; i < taken[places_.blocks]; ++i) {
      const int inner = taken[places_.embedding[static_cast<size_t>(i)]], times = taken[places_.expansion];
      arch::AttentionCondenserOptions o;
      o.embedding = {{times * width, inner}, {times * inner, width}};
      o.kernel = taken[places_.kernel];
      o.window = taken[places_.window];
      o.condensation = taken[places_.condensation] == 0 ? arch::Condensation::Max : arch::Condensation::Avg;
      o.form = taken[places_.form] == 0 ? arch::SelectiveForm::Additive : arch::SelectiveForm::Gated;
      o.batch_norm = taken[places_.batch_norm] == 1;
      x = arch::attention_condenser(b, x, "ac" + std::to_string(i + 1), o);
    }
    x = arch::conv_bn_act(b, x, "last", {taken[places_.last_width], 3, taken[places_.last_stride], 1, kRelu});
    arch::classifier_head(b, x, context_.classes);
    return arch::design_of(b);
  }

 private:
  SpaceContext context_;
  Places places_;
  std::vector<Decision> decisions_;
};

}  // namespace

std::unique_ptr<Space> make_condenser_kws_space(Reader& reader, const SpaceContext& context) {
  check_context("condenser_kws", context);
  DecisionList list;
  Places places;
  places.blocks = list.integers(reader, "", "blocks", {3, 4, 5, 6}, 1, kMaxBlocks, "attention condensers");
  places.width = list.integers(reader, "", "width", {7, 8, 10, 12, 16}, 1, 1024, "channels of the trunk");
  places.stem_stride = list.integers(reader, "", "stem_stride", {1, 2}, 1, 4, "stride of the first convolution");
  places.expansion = list.integers(reader, "", "expansion", {1, 2}, 1, 8,
                                   "channels of a condenser's grouped convolutions, for each of their input");
  places.kernel = list.integers(reader, "", "kernel", {1, 3}, 1, 7, "size of a condenser's convolutions, odd");
  for (const int k : list.decisions[places.kernel].options)
    if (k % 2 == 0) throw reader.error("kernel", "1, 3, 5 or 7");
  places.window = list.integers(reader, "", "window", {2}, 2, 8, "pixels that condense to one, along each side");
  places.condensation = list.names(reader, "", "condensation", {0, 1}, kCondensations, "pool that condenses");
  places.form = list.names(reader, "", "form", {0, 1}, kForms, "how attention and input are combined");
  places.batch_norm = list.names(reader, "", "batch_norm", {0, 1}, kSwitch, "inside the condensers");
  places.last_width =
      list.integers(reader, "", "last_width", {16, 24, 32}, 1, 4096, "channels of the last convolution");
  places.last_stride = list.integers(reader, "", "last_stride", {1, 2}, 1, 4, "stride of the last convolution");
  const int blocks = list.decisions[places.blocks].options.back();
  for (int i = 1; i <= blocks; ++i) {
    const std::string name = "ac" + std::to_string(i);
    Reader section = reader.section(name, "condenser " + std::to_string(i));
    places.embedding.push_back(list.integers(section, name + "_", "embedding", {3, 6, 10, 14, 18}, 1, 1024,
                                             "channels of the condensed embedding"));
  }
  const int stride = list.decisions[places.stem_stride].options.back(),
            window = list.decisions[places.window].options.back();
  const int64_t side = (std::min(context.input.h, context.input.w) + stride - 1) / stride;
  if (window > side)
    throw reader.error("window", "at most " + std::to_string(side) + ", the smaller side of the map of input " +
                                     arch::to_string(context.input) + " after the stem");
  return std::make_unique<CondenserSpace>(context, std::move(places), std::move(list.decisions));
}

}  // namespace condenser::search
