// The table of block calls: which keys each takes in a Spec file. What a block is made of is in blocks.cpp and its
// neighbours; the file around the calls is spec_io.cpp's.

#include "arch/spec_read.hpp"
#include "condenser/arch/attention_blocks.hpp"
#include "condenser/arch/blocks.hpp"
#include "condenser/arch/peer_blocks.hpp"

namespace condenser::arch {
namespace {

using core::config::Reader;

ColumnOptions read_column(Reader& r) {
  ColumnOptions o;
  require(r, "channels", "the width of the spatial convolutions");
  o.channels = read_integer(r, "channels", 1, 1, kMaxChannels, "width of the spatial convolutions");
  o.columns = read_integer(r, "columns", o.columns, 1, kMaxChannels, "groups of every spatial convolution");
  o.kernel = read_integer(r, "kernel", o.kernel, 1, kMaxWindow, "kernel of the spatial convolutions");
  o.stride = read_integer(r, "stride", o.stride, 1, 2, "2 halves the map by an average pool");
  o.bottleneck = read_boolean(r, "bottleneck", o.bottleneck, "1x1, spatial, 1x1 with twice the channels");
  o.attention = read_boolean(r, "attention", o.attention, "double-condensing attention where there is a projection");
  o.activation = read_enum(r, "activation", o.activation, kActivations, "activation");
  o.downsampling = read_enum(r, "downsampling", o.downsampling, kDownsamplings, "low-pass filter of a stride");
  o.spatial = read_integer(r, "spatial", o.spatial, 1, 2, "spatial convolutions of a basic block");
  o.axis = read_enum(r, "axis", o.axis, kAxes, "the attention values that sum to 1");
  o.rescale = read_boolean(r, "rescale", o.rescale, "attention times its number of terms: mean 1");
  o.normalize = read_boolean(r, "normalize", o.normalize, "batch norm behind the product of the attention");
  return o;
}

std::vector<int> read_list(Reader& r, const std::string& key, int min, int max, const std::string& help) {
  std::vector<int> values;
  require(r, key, "a list: " + help);
  r.integers(key, values, min, max, help);
  return values;
}

AttentionCondenserOptions read_condenser(Reader& r) {
  AttentionCondenserOptions o;
  const auto spatial = read_list(r, "spatial", 1, kMaxChannels, "channels of each spatial convolution");
  const auto mixed = read_list(r, "pointwise", 1, kMaxChannels, "channels of the 1x1 after each");
  if (spatial.size() != mixed.size()) throw r.error("pointwise", "as many numbers as spatial");
  for (size_t i = 0; i < spatial.size(); ++i) o.embedding.push_back({spatial[i], mixed[i]});
  o.mix = read_integer(r, "mix", o.mix, 0, kMaxChannels, "channels of the down-mixing; 0: none");
  o.window = read_integer(r, "window", o.window, 2, kMaxWindow, "condensation");
  constexpr std::array kPools = {Condensation::Max, Condensation::Avg};
  o.condensation = read_enum(r, "condensation", o.condensation, kPools, "pool");
  o.kernel = read_integer(r, "kernel", o.kernel, 1, kMaxWindow, "kernel of the spatial convolutions");
  o.groups = read_integer(r, "groups", o.groups, 0, kMaxChannels, "groups of the spatial convolutions; 0: depthwise");
  constexpr std::array kForms = {SelectiveForm::Additive, SelectiveForm::Gated};
  o.form = read_enum(r, "form", o.form, kForms, "how value and attention meet");
  o.batch_norm = read_boolean(r, "batch_norm", o.batch_norm, "batch norm after each convolution");
  o.bias = read_boolean(r, "bias", o.bias, "bias of each convolution, where there is no batch norm");
  o.activation = read_optional_activation(r, o.activation);
  return o;
}

std::vector<Column> read_columns(Reader& r) {
  const auto channels = read_list(r, "channels", 1, kMaxChannels, "channels of each column");
  std::vector<int> depth(channels.size(), 1), kernel(channels.size(), 3);
  r.integers("depth", depth, 1, 100, "convolutions of each column");
  r.integers("kernel", kernel, 1, kMaxWindow, "kernel of each column");
  if (depth.size() != channels.size()) throw r.error("depth", "as many numbers as channels");
  if (kernel.size() != channels.size()) throw r.error("kernel", "as many numbers as channels");
  std::vector<Column> columns;
  for (size_t i = 0; i < channels.size(); ++i) columns.push_back({channels[i], depth[i], kernel[i]});
  return columns;
}

}  // namespace

const std::vector<BlockCall>& block_calls() {
  static const std::vector<BlockCall> table = {
      {"conv_bn_act",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         ConvOptions o;
         o.out = read_out(r);
         o.kernel = read_integer(r, "kernel", o.kernel, 1, kMaxWindow, "square kernel; padding (kernel - 1) / 2");
         o.stride = read_integer(r, "stride", o.stride, 1, kMaxWindow, "stride");
         o.groups = read_integer(r, "groups", o.groups, 1, kMaxChannels, "groups of channels");
         o.activation = read_optional_activation(r, o.activation);
         r.finish();
         return conv_bn_act(b, x, name, o);
       }},
      {"antialias_pool",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         const Downsampling kind =
             read_enum(r, "kind", Downsampling::Avg2, kDownsamplings, "low-pass filter that halves the map");
         r.finish();
         return antialias_pool(b, x, name, kind);
       }},
      {"attention_condenser",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         const AttentionCondenserOptions o = read_condenser(r);
         r.finish();
         return attention_condenser(b, x, name, o);
       }},
      {"pepe",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         PepeOptions o;
         for (const char* key : {"narrow", "wide", "out"}) require(r, key, "a number of channels");
         o.narrow = read_integer(r, "narrow", 1, 1, kMaxChannels, "channels of both projections");
         o.wide = read_integer(r, "wide", 1, 1, kMaxChannels, "channels of the depthwise convolution");
         o.out = read_out(r);
         o.stride = read_integer(r, "stride", o.stride, 1, 2, "2 halves the map by an average pool");
         o.activation = read_enum(r, "activation", o.activation, kActivations, "activation");
         r.finish();
         return pepe(b, x, name, o);
       }},
      {"double_condenser",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         const ColumnOptions o = read_column(r);
         r.finish();
         return double_condenser(b, x, name, o);
       }},
      {"parallel_columns",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         const std::vector<Column> columns = read_columns(r);
         const ActivationKind kind = read_enum(r, "activation", ActivationKind::Silu, kActivations, "activation");
         r.finish();
         return parallel_columns(b, x, name, columns, kind);
       }},
      {"mix_columns",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         constexpr std::array kMixings = {ColumnMixing::Pointwise, ColumnMixing::Shuffle};
         const ColumnMixing mixing = read_enum(r, "mixing", ColumnMixing::Pointwise, kMixings, "dense 1x1 or shuffle");
         const int columns = read_integer(r, "columns", 4, 1, kMaxChannels, "groups of a shuffle");
         const ActivationKind kind = read_enum(r, "activation", ActivationKind::Silu, kActivations, "after a 1x1");
         r.finish();
         return mix_columns(b, x, name, mixing, columns, kind);
       }},
      {"column_block",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         const ColumnOptions o = read_column(r);
         r.finish();
         return column_block(b, x, name, o);
       }},
      {"column_stage",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         require(r, "depth", "the number of blocks");
         const int depth = read_integer(r, "depth", 1, 1, 1000, "number of blocks");
         const ColumnOptions o = read_column(r);
         r.finish();
         return column_stage(b, x, name, depth, o);
       }},
      {"depthwise_separable",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         DepthwiseSeparable o;
         o.out = read_out(r);
         o.kernel = read_integer(r, "kernel", o.kernel, 1, kMaxWindow, "kernel of the depthwise convolution");
         o.stride = read_integer(r, "stride", o.stride, 1, kMaxWindow, "stride of the depthwise convolution");
         r.finish();
         return depthwise_separable(b, x, name, o);
       }},
      {"inverted_residual",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         InvertedResidual o;
         require(r, "expanded", "the channels of the depthwise convolution");
         o.expanded = read_integer(r, "expanded", 1, 1, kMaxChannels, "channels of the depthwise convolution");
         o.out = read_out(r);
         o.kernel = read_integer(r, "kernel", o.kernel, 1, kMaxWindow, "kernel of the depthwise convolution");
         o.stride = read_integer(r, "stride", o.stride, 1, kMaxWindow, "stride of the depthwise convolution");
         const int reduced =
             read_integer(r, "squeeze", 0, 0, kMaxChannels, "channels inside a squeeze-excite; 0: none");
         if (reduced > 0) o.squeeze = SqueezeExcite{.reduced = reduced};
         r.finish();
         return inverted_residual(b, x, name, o);
       }},
      {"shufflenet_v2_unit",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         const int out = read_out(r);
         const int stride = read_integer(r, "stride", 1, 1, 2, "2 halves the map");
         r.finish();
         return shufflenet_v2_unit(b, x, name, out, stride);
       }},
      {"ghost_module",
       [](Reader& r, Builder& b, int x, const std::string& name) {
         GhostModule o;
         o.out = read_out(r);
         o.kernel = read_integer(r, "kernel", o.kernel, 1, kMaxWindow, "kernel of the primary convolution");
         o.ratio = read_integer(r, "ratio", o.ratio, 2, 8, "one in this many outputs is computed in full");
         r.finish();
         return ghost_module(b, x, name, o);
       }},
      {"classifier_head",
       [](Reader& r, Builder& b, int x, const std::string&) {
         require(r, "classes", "the number of classes");
         const int classes = read_integer(r, "classes", 1, 1, kMaxChannels, "number of classes");
         r.finish();
         return classifier_head(b, x, classes);
       }},
  };
  return table;
}

}  // namespace condenser::arch
