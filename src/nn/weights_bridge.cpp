// Weights <-> one flat block of floats. Leaves files to arch/weights and tensors to spec_net.
#include "condenser/nn/weights_bridge.hpp"

#include <algorithm>

namespace condenser::nn {
namespace {

constexpr int64_t kAlign = 16;

int64_t product(const std::vector<int64_t>& shape) {
  int64_t n = 1;
  for (int64_t extent : shape) n *= extent;
  return n;
}

}  // namespace

BlockLayout block_layout(const arch::Spec& spec) {
  BlockLayout layout;
  const auto infos = arch::parameters(spec);
  auto append = [&](const arch::ParamInfo& info) {
    Segment segment{.name = info.name, .shape = info.shape, .offset = layout.size, .size = product(info.shape)};
    segment.trainable = info.trainable;
    const arch::Node& node = spec.node(arch::find_node(spec, info.name.substr(0, info.name.find('.'))));
    if (const auto* conv = std::get_if<arch::Conv2d>(&node.op); conv && info.shape.size() == 4)
      segment.groups = conv->groups;
    segment.decay = info.trainable && info.shape.size() >= 2;
    layout.size += (segment.size + kAlign - 1) / kAlign * kAlign;
    layout.segments.push_back(std::move(segment));
  };
  for (const auto& info : infos)
    if (info.trainable) append(info);
  layout.trainable_size = layout.size;
  for (const auto& info : infos)
    if (!info.trainable) append(info);
  return layout;
}

void copy_to_block(const arch::Spec& spec, const BlockLayout& layout, const arch::Weights& weights,
                   std::span<float> block) {
  arch::check_weights(spec, weights);
  if (static_cast<int64_t>(block.size()) != layout.size)
    throw core::Error("block of " + std::to_string(block.size()) + " floats; expected " + std::to_string(layout.size));
  for (const auto& segment : layout.segments) {
    const auto values = weights.at(segment.name).f32();
    std::copy(values.begin(), values.end(), block.begin() + segment.offset);
  }
}

arch::Weights copy_from_block(const BlockLayout& layout, std::span<const float> block) {
  arch::Weights weights;
  for (const auto& segment : layout.segments) {
    if (segment.offset + segment.size > static_cast<int64_t>(block.size())) continue;
    weights.tensors[segment.name] = arch::make_f32(
        segment.shape, block.subspan(static_cast<size_t>(segment.offset), static_cast<size_t>(segment.size)));
  }
  return weights;
}

}  // namespace condenser::nn
