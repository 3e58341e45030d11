#pragma once
// Specs as files: YAML (hand-written, may call blocks) and JSON (written by the program). One format version for both.
//
//   condenser_spec: 1
//   name: my_net
//   input: [1, 28, 28]
//   nodes:
//     - {name: stem, op: conv2d, input: input, out: 16, kernel: 3, stride: 2, pad: 1}
//     - {name: stem_bn, op: batch_norm}                     # input defaults to the node above
//     - {name: s1, block: column_stage, channels: 16, depth: 2, columns: 4, attention: true, stride: 2}
//     - {name: gap, op: global_avg_pool}
//     - {name: fc, op: linear, out: 10}
//
// `outputs: [fc, s1]` behind the nodes names the nodes (or block calls) whose values are the result, in their order;
// the last node when it is absent.
//
// Sizes are one number or [h, w]; pads one number, [vertical, horizontal] or [top, bottom, left, right]. Block calls
// are expanded on reading; the name of a block call stands for its output.
//
// op               keys besides name, op and input or inputs: [a, b]; = gives the default
// conv2d           out, kernel, stride=1, pad=0, groups=1, bias=false, clamp=none
// batch_norm       eps=1e-5, momentum=0.1
// activation       kind
// avg_pool         kernel, stride, pad=0, count_include_pad=false
// max_pool         kernel, stride, pad=0
// linear           out, bias=true, clamp=none
// add              clamp=none
// softmax          axis=channels (or space), rescale=false
// softmax_mul      axis=channels (or space), rescale=false, clamp=none
// blur_pool        taps=3 (or 5), stride
// upsample         size
// slice            begin, count
// channel_shuffle  groups
// mul, concat, prelu, scale, global_avg_pool    none
// input            none; only as the first node, to give the input another name
//
// block            keys; meaning and defaults in blocks.hpp
// conv_bn_act      out, kernel, stride, groups, activation (also: none)
// antialias_pool   kind=avg2
// column_block     channels, columns, kernel, stride, bottleneck, attention, activation, downsampling, spatial, axis,
//                  rescale, normalize
// double_condenser those of column_block
// parallel_columns channels: [8, 8], depth: [1, 2], kernel: [3, 5], activation
// mix_columns      mixing=pointwise (or shuffle), columns, activation
// attention_condenser  spatial: [18, 18], pointwise: [6, 9], mix, window, condensation, kernel, groups, form,
//                  batch_norm, bias, activation; meaning and defaults in attention_blocks.hpp
// depthwise_separable  out, kernel, stride; this and the next three: peer_blocks.hpp
// inverted_residual    expanded, out, kernel, stride, squeeze=0 (channels inside a squeeze-excite)
// shufflenet_v2_unit   out, stride
// ghost_module     out, kernel, ratio
// pepe             narrow, wide, out, stride, activation
// column_stage     depth and those of column_block
// classifier_head  classes; its nodes are gap and fc, so that its own name may be left out
//
// At most 10,000 nodes and 4 MB. Unknown keys are errors.

#include <filesystem>
#include <string>

#include "condenser/arch/spec.hpp"

namespace condenser::arch {

Spec read_spec(
    const std::filesystem::path& file);  // .yaml/.yml/.json; throws ConfigError or SpecError with file, line, node
Spec parse_spec(const std::string& text, const std::string& name);  // YAML (JSON is a subset)
std::string to_json(const Spec&);                                   // primitives only; read back gives an equal Spec
std::string to_yaml(const Spec&);
void write_spec(const std::filesystem::path& file, const Spec&);  // by extension, atomic

}  // namespace condenser::arch
