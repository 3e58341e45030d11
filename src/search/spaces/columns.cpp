// The space of column networks: stem, stages of column blocks, classifier. Blocks are arch's; whether a design may ship
// is the gate's.
//
//   stem -> stage 1 -> ... -> [merge: dense 1x1 after `merge_stage` stages] -> ... -> stage n -> pool, linear
//
// Every stage opens with its stride and has a width, depth, number of columns, block, attention and kernel of its own.
// The stem brings large inputs down to a map that a small device can hold; which strides do is a function of the input.

#include <algorithm>
#include <array>

#include "condenser/arch/blocks.hpp"
#include "search/spaces/options.hpp"
#include "search/tables.hpp"

namespace condenser::search {
namespace {

using core::config::Reader;

constexpr int kMaxStages = 6;
constexpr int kWidthStep = 8;  // every number of columns divides every width
const std::vector<int> kColumns = {1, 2, 4, 8};
const std::vector<int> kStemStrides = {1, 2, 4, 8};

struct StageOptions {
  std::vector<int> width, depth = {1, 2, 3}, columns = {1, 2, 4}, block = {0, 1}, attention = {0, 2}, kernel = {3, 5};
};

struct Options {
  std::vector<int> stages = {3};
  std::vector<int> stem_width = {8, 16, 24};
  std::vector<int> activation = {0, 2};  // kActivationNames: those that int8 keeps (experiments/attention_int8)
  std::vector<int> merge_stage;
  std::vector<int> stem_stride;
  std::vector<int> downsampling = {0};  // indices into arch::kDownsamplings
  std::vector<int> stage_strides;
  std::vector<StageOptions> stage;
};

const std::vector<std::string> kBlocks = {"basic", "bottleneck"};

StageOptions default_stage(int i) {
  static const std::array<std::vector<int>, kMaxStages> widths = {
      {{16, 24, 32}, {24, 32, 48}, {32, 48, 64}, {48, 64, 96}, {64, 96, 128}, {96, 128, 192}}};
  StageOptions options;
  options.width = widths[static_cast<size_t>(i)];
  // The first stage holds the early spatial convolutions, which must run in columns (rule column_layout).
  if (i == 0) options.columns = {2, 4};
  return options;
}

// A window that leaves out no pixel, centred: 3x3 for strides 1 and 2, 5x5 for 4, 9x9 for 8.
int stem_kernel(int stride) { return std::max(3, stride + 1); }

void read_width(Reader& reader, const std::string& key, std::vector<int>& values, const std::string& help) {
  read_integers(reader, key, values, kWidthStep, 2048, help, kWidthStep);
}

void read_stage(Reader& reader, StageOptions& o) {
  read_width(reader, "width", o.width, "channels of the spatial convolutions; a bottleneck block gives twice as many");
  read_integers(reader, "depth", o.depth, 1, 16, "blocks");
  read_integers(reader, "columns", o.columns, 1, 8, "separate columns (groups of the spatial convolutions)");
  for (int v : o.columns) {
    if (std::find(kColumns.begin(), kColumns.end(), v) == kColumns.end()) throw reader.error("columns", "1, 2, 4 or 8");
  }
  read_names(reader, "block", o.block, kBlocks, "kind of block");
  read_names(reader, "attention", o.attention, kAttentionNames, kAttentionHelp);
  read_integers(reader, "kernel", o.kernel, 3, 7, "size of the spatial convolutions");
  for (int v : o.kernel) {
    if (v != 3 && v != 5 && v != 7) throw reader.error("kernel", "3, 5 or 7");
  }
}

void read_stem_stride(Reader& reader, Options& o, const arch::Shape& input) {
  int stride = 0;
  reader.integer("stem_stride", stride, 0, kStemStrides.back(),
                 "stride of the stem: 1, 2, 4 or 8; 0: searched among those that leave a map of 17 to 56 pixels");
  const bool known = std::find(kStemStrides.begin(), kStemStrides.end(), stride) != kStemStrides.end();
  if (stride != 0 && !known) throw reader.error("stem_stride", "0, 1, 2, 4 or 8");
  o.stem_stride = stride == 0 ? fitting_strides(input, kStemStrides) : std::vector<int>{stride};
}

void check_strides(const Reader& reader, const Options& o, const arch::Shape& input) {
  const int stride = o.stem_stride.back(), kernel = stem_kernel(stride), pad = kernel / 2;
  const int64_t side = arch::window_out(std::min(input.h, input.w), kernel, stride, pad, pad);
  check_extent(reader, "stage_strides", o.stage_strides, side, input);
}

Options read_columns(Reader& reader, const SpaceContext& context) {
  Options o;
  read_integers(reader, "stages", o.stages, 1, kMaxStages, "number of stages");
  const int stages = o.stages.back();
  read_width(reader, "stem_width", o.stem_width, "channels of the stem");
  read_stem_stride(reader, o, context.input);
  read_names(reader, "activation", o.activation, kActivationNames, "activation of every block");
  o.merge_stage = {stages};
  if (stages > 1) o.merge_stage.insert(o.merge_stage.begin(), stages - 1);
  read_integers(reader, "merge_stage", o.merge_stage, 1, kMaxStages,
                "stages before the dense 1x1 that mixes the columns; the number of stages: none");
  if (o.merge_stage.back() > stages) throw reader.error("merge_stage", "1.." + std::to_string(stages));
  read_names(reader, "downsampling", o.downsampling, kDownsamplingNames,
             "low-pass filter that condenses the maps where a stage has stride 2");
  read_strides(reader, o.stage_strides, stages);
  for (int i = 0; i < stages; ++i) {
    Reader section = reader.section("s" + std::to_string(i + 1), "stage " + std::to_string(i + 1));
    o.stage.push_back(default_stage(i));
    read_stage(section, o.stage.back());
  }
  check_context("columns", context);
  check_strides(reader, o, context.input);
  return o;
}

// Places of the decisions: those of the network, then those of each stage.
enum NetworkDecision : size_t { kStages, kStemWidth, kActivation, kMergeStage, kPerNetwork };
enum StageDecision : size_t { kWidth, kDepth, kColumnCount, kBlock, kAttention, kKernel, kPerStage };

class ColumnsSpace final : public Space {
 public:
  ColumnsSpace(const Options& o, const SpaceContext& context)
      : context_(context),
        stem_stride_(o.stem_stride.front()),
        downsampling_(o.downsampling.front()),
        stage_strides_(o.stage_strides) {
    decisions_ = {{"stages", o.stages},
                  {"stem_width", o.stem_width},
                  named("activation", o.activation, kActivationNames),
                  {"merge_stage", o.merge_stage}};
    for (size_t i = 0; i < o.stage.size(); ++i) {
      const std::string s = "s" + std::to_string(i + 1) + "_";
      const StageOptions& stage = o.stage[i];
      for (Decision d : {Decision{"width", stage.width}, Decision{"depth", stage.depth},
                         Decision{"columns", stage.columns}, named("block", stage.block, kBlocks),
                         named("attention", stage.attention, kAttentionNames), Decision{"kernel", stage.kernel}}) {
        decisions_.push_back({s + d.name, d.options, d.labels});
      }
    }
    // Last, and only where there is a choice: genotypes of spaces without it stay what they were.
    if (o.downsampling.size() > 1) {
      downsampling_place_ = decisions_.size();
      decisions_.push_back(named("downsampling", o.downsampling, kDownsamplingNames));
    }
    if (o.stem_stride.size() > 1) {
      stem_stride_place_ = decisions_.size();
      decisions_.push_back({"stem_stride", o.stem_stride});
    }
  }

  const std::vector<Decision>& decisions() const override { return decisions_; }

  Candidate expand(const Genotype& genotype) const override {
    const Taken get(*this, genotype);
    const auto activation = activation_of(get[kActivation]);
    arch::Builder b("columns", context_.input);
    const int stride = stem_stride_place_ ? get[*stem_stride_place_] : stem_stride_;
    const int pool = downsampling_place_ ? get[*downsampling_place_] : downsampling_;
    int x = arch::conv_bn_act(
        b, b.input(), "stem",
        {.out = get[kStemWidth], .kernel = stem_kernel(stride), .stride = stride, .activation = activation});
    const int stages = get[kStages];
    for (int i = 0; i < stages; ++i) {
      if (i == get[kMergeStage]) {
        const int channels = static_cast<int>(b.shape(x).c);
        x = arch::conv_bn_act(b, x, "merge", {.out = channels, .kernel = 1, .activation = activation});
      }
      const std::string name = "s" + std::to_string(i + 1);
      const size_t first = kPerNetwork + kPerStage * static_cast<size_t>(i);
      arch::ColumnOptions o{.channels = get[first + kWidth],
                            .columns = get[first + kColumnCount],
                            .kernel = get[first + kKernel],
                            .stride = stage_strides_[static_cast<size_t>(i)],
                            .bottleneck = get[first + kBlock] == 1,
                            .activation = activation,
                            .downsampling = arch::kDownsamplings[static_cast<size_t>(pool)]};
      set_attention(o, get[first + kAttention]);
      x = arch::column_stage(b, x, name, get[first + kDepth], o);
    }
    arch::classifier_head(b, x, context_.classes);
    return arch::design_of(b);
  }

 private:
  SpaceContext context_;
  int stem_stride_, downsampling_;  // where they are no decisions
  std::optional<size_t> stem_stride_place_, downsampling_place_;
  std::vector<int> stage_strides_;
  std::vector<Decision> decisions_;
};

}  // namespace

std::unique_ptr<Space> make_columns_space(Reader& reader, const SpaceContext& context) {
  return std::make_unique<ColumnsSpace>(read_columns(reader, context), context);
}

}  // namespace condenser::search
