// The space of the published column networks (AttendNeXt, arXiv 2208.06980, as released in Cancer-Net SCa DC-AC, arXiv
// 2311.11656): a stem of a convolution and one in columns, then stages that each open with a double-condensing
// attention block; early stages of basic blocks, late ones of bottlenecks, whose 1x1 convolutions merge the columns.
// The released network is a member.
//
//   reduction 1: 3x3 -> 3x3 g4    2: 3x3/2 -> 3x3 g4    4: 3x3/2 -> 3x3 g4 -> average pool 3x3/2 (as published)

#include <algorithm>
#include <array>

#include "search/spaces/options.hpp"
#include "search/tables.hpp"

namespace condenser::search {
namespace {

using core::config::Reader;

constexpr int kMaxStages = 5;
constexpr int kColumns = 4;
const std::vector<int> kReductions = {1, 2, 4};
const std::vector<std::string> kBlocks = {"basic", "bottleneck"};

struct StagePlaces {
  size_t width, depth, block, attention, kernel;
};

struct Places {
  size_t stages, stem_width, activation, downsampling, reduction;
  std::vector<StagePlaces> stage;
};

class AttendNextSpace final : public Space {
 public:
  AttendNextSpace(const SpaceContext& context, std::vector<int> strides, Places places, std::vector<Decision> decisions)
      : context_(context), strides_(std::move(strides)), places_(std::move(places)), decisions_(std::move(decisions)) {}

  const std::vector<Decision>& decisions() const override { return decisions_; }

  Candidate expand(const Genotype& genotype) const override {
    const Taken taken(*this, genotype);
    arch::Builder b("attendnext", context_.input);
    const auto activation = activation_of(taken[places_.activation]);
    int x = stem(b, taken[places_.stem_width], taken[places_.reduction], activation);
    for (int i = 0; i < taken[places_.stages]; ++i) {
      const StagePlaces& stage = places_.stage[static_cast<size_t>(i)];
      arch::ColumnOptions o{.channels = taken[stage.width],
                            .columns = kColumns,
                            .kernel = taken[stage.kernel],
                            .stride = strides_[static_cast<size_t>(i)],
                            .bottleneck = taken[stage.block] == 1,
                            .activation = activation,
                            .downsampling = arch::kDownsamplings[static_cast<size_t>(taken[places_.downsampling])]};
      set_attention(o, taken[stage.attention]);
      x = arch::column_stage(b, x, "s" + std::to_string(i + 1), taken[stage.depth], o);
    }
    arch::classifier_head(b, x, context_.classes);
    return arch::design_of(b);
  }

 private:
  int stem(arch::Builder& b, int width, int reduction, arch::ActivationKind activation) const {
    const arch::Builder::Scope scope(b, "stem");
    int x = arch::conv_bn_act(b, b.input(), "c1", {width, 3, reduction > 1 ? 2 : 1, 1, activation});
    x = arch::conv_bn_act(b, x, "c2", {width, 3, 1, kColumns, activation});
    if (reduction < 4) return x;
    return b.add("pool", arch::AvgPool{arch::square(3), arch::square(2), arch::pad_all(1), true}, {x});
  }

  SpaceContext context_;
  std::vector<int> strides_;
  Places places_;
  std::vector<Decision> decisions_;
};

StagePlaces read_stage(Reader reader, const std::string& prefix, int stage, DecisionList& list) {
  // Around the published widths, halved and quartered for small devices.
  static const std::array<std::vector<int>, kMaxStages> widths = {
      {{16, 24, 32, 40}, {24, 40, 64, 84}, {40, 64, 96, 136, 176}, {64, 96, 184, 280, 372}, {96, 184, 372}}};
  StagePlaces places;
  places.width =
      list.integers(reader, prefix, "width", widths[static_cast<size_t>(stage)], kColumns, 2048,
                    "channels of the spatial convolutions; a bottleneck block gives twice as many", kColumns);
  places.depth = list.integers(reader, prefix, "depth", {1, 2, 3}, 1, 32, "blocks; the first opens the stage");
  places.block = list.names(reader, prefix, "block", {stage < 2 ? 0 : 1}, kBlocks, "kind of block");
  places.attention = list.names(reader, prefix, "attention", {2, 3}, kAttentionNames, kAttentionHelp);
  places.kernel = list.integers(reader, prefix, "kernel", {3}, 3, 7, "size of the spatial convolutions, odd");
  for (const int k : list.decisions[places.kernel].options)
    if (k % 2 == 0) throw reader.error("kernel", "3, 5 or 7");
  return places;
}

}  // namespace

std::unique_ptr<Space> make_attendnext_space(Reader& reader, const SpaceContext& context) {
  check_context("attendnext", context);
  DecisionList list;
  Places places;
  places.stages = list.integers(reader, "", "stages", {4}, 1, kMaxStages, "number of stages");
  const int stages = list.decisions[places.stages].options.back();
  places.stem_width =
      list.integers(reader, "", "stem_width", {16, 24, 32}, kColumns, 2048, "channels of the stem", kColumns);
  places.activation = list.names(reader, "", "activation", {0, 2}, kActivationNames, "activation of every block");
  places.downsampling = list.names(reader, "", "downsampling", {0}, kDownsamplingNames,
                                   "low-pass filter that condenses the maps where a stage has stride 2");
  places.reduction = list.integers(reader, "", "reduction", fitting_strides(context.input, kReductions), 1, 4,
                                   "of the stem: 1, 2 or 4; left out: those that leave 17 to 56 pixels");
  for (const int r : list.decisions[places.reduction].options)
    if (r == 3) throw reader.error("reduction", "1, 2 or 4");
  std::vector<int> strides = {1};
  read_strides(reader, strides, stages);
  for (int i = 0; i < stages; ++i) {
    const std::string name = "s" + std::to_string(i + 1);
    places.stage.push_back(read_stage(reader.section(name, "stage " + std::to_string(i + 1)), name + "_", i, list));
  }
  const int reduction = list.decisions[places.reduction].options.back();
  const int64_t side = (std::min(context.input.h, context.input.w) + reduction - 1) / reduction;
  check_extent(reader, "stage_strides", strides, side, context.input);
  return std::make_unique<AttendNextSpace>(context, std::move(strides), std::move(places), std::move(list.decisions));
}

}  // namespace condenser::search
