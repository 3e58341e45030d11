#pragma once
// Blocks: functions that append primitives through a Builder and return the id of their output. Each names its formula
// and source. Node names inside a block follow the published layer table: c1, c2, c3, sc (shortcut), pool, scpool, each
// with _bn and _act.

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "condenser/arch/builder.hpp"

namespace condenser::arch {

struct ConvOptions {
  int out = 0;
  int kernel = 3;  // square; padding (kernel - 1) / 2
  int stride = 1;
  int groups = 1;
  std::optional<ActivationKind> activation = ActivationKind::Silu;
};

// conv (no bias) -> batch norm [-> activation]; nodes <name>, <name>_bn, <name>_act.
int conv_bn_act(Builder&, int x, std::string_view name, const ConvOptions&);

// What halves a map. All but the last are low-pass filters, which do not fold high frequencies into low ones.
enum class Downsampling {
  Avg2,   // average 2x2; odd sizes are floored
  Avg3,   // average 3x3, padding not counted
  Blur3,  // binomial filter (Zhang 2019, arXiv 1904.11486)
  Blur5,
  MaxBlur3,  // maximum of 2x2 at stride 1, then the filter (same source, section 3)
  MaxBlur5,
  Max2,  // maximum 2x2: no filter, breaks the rule antialiased_downsampling; to measure what the filters are worth
};
const char* to_string(Downsampling);  // "avg2", ..., "max2"
inline constexpr std::array kDownsamplings = {Downsampling::Avg2,  Downsampling::Avg3,     Downsampling::Blur3,
                                              Downsampling::Blur5, Downsampling::MaxBlur3, Downsampling::MaxBlur5,
                                              Downsampling::Max2};

// Down-sampling by 2, to stand before a stride-1 convolution. The last node is called `name`.
int antialias_pool(Builder&, int x, std::string_view name, Downsampling kind = Downsampling::Avg2);

struct ColumnOptions {
  int channels = 0;         // width c of the spatial convolutions
  int columns = 4;          // groups of every spatial convolution; 1 = no columns
  int kernel = 3;           // of the spatial convolutions
  int stride = 1;           // 1 or 2; 2 is an average pool before a stride-1 convolution, in both paths
  bool bottleneck = false;  // expansion 2 (output 2c), else expansion 1 (output c)
  bool attention = false;   // merge of a block with projection: softmax(main) * projection (DC-AC), else addition
  ActivationKind activation = ActivationKind::Silu;
  Downsampling downsampling = Downsampling::Avg2;
  int spatial = 2;                           // kxk convolutions in the main path of a basic block: 1 or 2
  SoftmaxAxis axis = SoftmaxAxis::Channels;  // of the attention; channels as published
  bool rescale = false;                      // attention times its number of terms, so that its mean is 1
  bool normalize = false;                    // batch norm behind the product of the attention, before the activation
};

int output_channels(const ColumnOptions&);

// One block of a column stage, main path F and shortcut P:
//   basic:      [pool] -> kxk gN -> bn -> act -> kxk gN -> bn
//   bottleneck: 1x1 -> bn -> act -> [pool] -> kxk gN -> bn -> act -> 1x1 (2c) -> bn
//   projection (when shape changes): [pool] -> 1x1 -> bn
//   y = act(softmax_c(F(x)) * P(x))  with projection and attention: the double-condensing attention condenser (DC-AC)
//   y = act(bn(softmax_c(F(x)) * P(x)))    the same with `normalize`, which is not published
//   y = act(F(x) + P(x)) or act(F(x) + x)  otherwise
// Source: AttendNeXt (arXiv 2208.06980) as released in Cancer-Net SCa DC-AC (arXiv 2311.11656).
int column_block(Builder&, int x, const std::string& name, const ColumnOptions&);

// The double-condensing attention condenser alone: column_block with attention and a projection even where the shape
// stays. Attention branch and value branch are both condensed by the same pool:
//   y = act(softmax(kxk gN(...(pool(x)))) * bn(1x1(pool(x))))
int double_condenser(Builder&, int x, const std::string& name, ColumnOptions);

// `depth` blocks; only the first may be strided. Named <name>b1, <name>b2, ...
int column_stage(Builder&, int x, const std::string& name, int depth, const ColumnOptions&);

// One column of its own: `depth` times conv kxk -> bn -> act of `channels`.
struct Column {
  int channels = 0;
  int depth = 1;
  int kernel = 3;
};
// Columns that need not be equal: column i reads the i-th of n equal parts of the channels; their outputs are
// concatenated in order. n equal columns of depth 1 compute what one convolution with n groups computes (tested).
// 2 to kMaxInputs columns. Nodes <name>_in1, <name>_c1_1, ..., <name>.
int parallel_columns(Builder&, int x, const std::string& name, const std::vector<Column>&, ActivationKind);

// How columns learn of each other: a dense 1x1 (conv_bn_act, as published) or a channel shuffle (arXiv 1707.01083).
enum class ColumnMixing { Pointwise, Shuffle };
const char* to_string(ColumnMixing);  // "pointwise", "shuffle"
int mix_columns(Builder&, int x, const std::string& name, ColumnMixing, int columns, ActivationKind);

// Global average pool "gap" -> linear "fc" with bias.
int classifier_head(Builder&, int x, int classes);

}  // namespace condenser::arch
