#pragma once
// Blocks: functions that append primitives through a Builder and return the id of their output. Each names its formula
// and source. Node names inside a block follow the published layer table: c1, c2, c3, sc (shortcut), pool, scpool, each
// with _bn and _act.

#include <optional>

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
int conv_bn_act(Builder&, int x, const std::string& name, const ConvOptions&);

// Anti-aliased down-sampling: average pool 2x2 stride 2, to stand before a stride-1 convolution. Odd sizes are floored.
int antialias_pool(Builder&, int x, const std::string& name);

struct ColumnOptions {
  int channels = 0;         // width c of the spatial convolutions
  int columns = 4;          // groups of every spatial convolution; 1 = no columns
  int kernel = 3;           // of the spatial convolutions
  int stride = 1;           // 1 or 2; 2 is an average pool before a stride-1 convolution, in both paths
  bool bottleneck = false;  // expansion 2 (output 2c), else expansion 1 (output c)
  bool attention = false;   // merge of a block with projection: softmax(main) * projection (DC-AC), else addition
  ActivationKind activation = ActivationKind::Silu;
};

int output_channels(const ColumnOptions&);

// One block of a column stage, main path F and shortcut P:
//   basic:      [pool] -> kxk gN -> bn -> act -> kxk gN -> bn
//   bottleneck: 1x1 -> bn -> act -> [pool] -> kxk gN -> bn -> act -> 1x1 (2c) -> bn
//   projection (when shape changes): [pool] -> 1x1 -> bn
//   y = act(softmax_c(F(x)) * P(x))  with projection and attention: the double-condensing attention condenser (DC-AC)
//   y = act(F(x) + P(x)) or act(F(x) + x)  otherwise
// Source: AttendNeXt (arXiv 2208.06980) as released in Cancer-Net SCa DC-AC (arXiv 2311.11656).
int column_block(Builder&, int x, const std::string& name, const ColumnOptions&);

// `depth` blocks; only the first may be strided. Named <name>b1, <name>b2, ...
int column_stage(Builder&, int x, const std::string& name, int depth, const ColumnOptions&);

// Global average pool "gap" -> linear "fc" with bias.
int classifier_head(Builder&, int x, int classes);

}  // namespace condenser::arch
