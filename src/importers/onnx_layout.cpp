// Operators that move values or take some of them. Most of these only rename axes.
#include <algorithm>
#include <numeric>

#include "condenser/core/text.hpp"
#include "importers/onnx_graph.hpp"

namespace condenser::importers {
namespace {

// "[1, 3, 8]"
std::string list_text(const std::vector<int64_t>& values) {
  std::vector<std::string> texts;
  for (const int64_t v : values) texts.push_back(std::to_string(v));
  return "[" + core::join(texts) + "]";
}

}  // namespace

void OnnxGraph::identity(const Node& node) { give(node, any_tensor(node, 0)); }

void OnnxGraph::cast(const Node& node) {
  const int64_t to = integer(node, "to", 1);
  if (to != 1 && to != 11) fail(node, "casts values to type " + std::to_string(to) + "; expected FLOAT");
  give(node, any_tensor(node, 0));
}

// What a layout operator makes of these extents.
std::vector<int64_t> OnnxGraph::target_extents(const Node& node, std::vector<int64_t> from) const {
  const size_t rank = from.size();
  const auto product = [&](size_t begin, size_t end) {
    return std::accumulate(from.begin() + static_cast<std::ptrdiff_t>(begin),
                           from.begin() + static_cast<std::ptrdiff_t>(end), int64_t{1}, std::multiplies<>());
  };
  if (node.op == "Flatten") {
    const int64_t axis = integer(node, "axis", 1);
    const size_t at = axis == static_cast<int64_t>(rank) ? rank : axis_of(node, axis, rank);
    return {product(0, at), product(at, rank)};
  }
  if (node.op == "Reshape") {
    const auto* shape = list(node, "shape", 1);
    if (shape == nullptr) fail(node, "has no shape");
    std::vector<int64_t> target = *shape;
    if (target.size() > 8) fail(node, "makes " + std::to_string(target.size()) + " axes; expected at most 8");
    const bool zero_is_zero = integer(node, "allowzero", 0) != 0;
    int64_t known = 1, open = -1;
    for (size_t k = 0; k < target.size(); ++k) {
      if (target[k] == 0 && !zero_is_zero && k < rank) target[k] = from[k];
      if (target[k] == -1 && open < 0) {
        open = static_cast<int64_t>(k);
      } else if (target[k] < 1 || __builtin_mul_overflow(known, target[k], &known) || known > arch::kMaxElements) {
        fail(node, "shape " + list_text(*shape) + "; expected extents above 0, or 0 for one that is kept, and -1 once");
      }
    }
    const int64_t all = product(0, rank);
    if (open >= 0) target[static_cast<size_t>(open)] = all / known;
    if (open >= 0 ? all % known != 0 : all != known)
      fail(node, "shape " + list_text(*shape) + " for " + std::to_string(all) + " values of " + list_text(from));
    return target;
  }
  const auto* axes = list(node, "axes", 1);
  if (node.op == "Unsqueeze") {
    if (axes == nullptr || axes->empty() || axes->size() > 8) fail(node, "expected 1..8 axes");
    std::set<size_t> places;
    for (const int64_t axis : *axes) places.insert(axis_of(node, axis, rank + axes->size()));
    for (const size_t place : places)
      from.insert(from.begin() + static_cast<std::ptrdiff_t>(std::min(place, from.size())), 1);
    return from;
  }
  std::set<size_t> places;  // Squeeze
  if (axes != nullptr)
    for (const int64_t axis : *axes) places.insert(axis_of(node, axis, rank));
  std::vector<int64_t> result;
  for (size_t k = 0; k < rank; ++k) {
    const bool removed = axes == nullptr ? from[k] == 1 && k > 0 : places.contains(k);
    if (removed && from[k] != 1)
      fail(node, "removes axis " + std::to_string(k) + " of extent " + std::to_string(from[k]));
    if (!removed) result.push_back(from[k]);
  }
  return result;
}

void OnnxGraph::regroup(const Node& node, Tensor tensor, const std::vector<int64_t>& extents) {
  const auto axes = regrouped(tensor.axes, extents);
  if (!axes)
    fail(node, "makes " + list_text(extents) + " of axes " + to_string(tensor.axes) + " of " +
                   arch::to_string(shape(tensor)) + "; expected extents that join whole axes or split one");
  if (tensor.pad != arch::Pad{} || tensor.mirrored > 0)
    fail(node, "reads what a Pad made; expected a Conv behind a Pad");
  tensor.axes = *axes;
  settle(node, tensor);  // once, for all that read it
  give(node, tensor);
}

void OnnxGraph::flatten(const Node& node) { reshape(node); }
void OnnxGraph::squeeze(const Node& node) { reshape(node); }
void OnnxGraph::unsqueeze(const Node& node) { reshape(node); }

void OnnxGraph::reshape(const Node& node) {
  const Tensor tensor = any_tensor(node, 0);
  regroup(node, tensor, target_extents(node, extents(tensor.axes)));
}

std::vector<size_t> OnnxGraph::order_of(const Node& node, size_t rank) const {
  std::vector<size_t> order(rank);
  const auto* perm = integers(node, "perm");
  if (perm == nullptr) {  // the other way round
    for (size_t k = 0; k < rank; ++k) order[k] = rank - 1 - k;
    return order;
  }
  std::set<size_t> seen;
  for (size_t k = 0; k < perm->size() && k < rank; ++k) {
    order[k] = axis_of(node, (*perm)[k], rank);
    seen.insert(order[k]);
  }
  if (perm->size() != rank || seen.size() != rank)
    fail(node, "perm " + list_text(*perm) + " of " + std::to_string(rank) + " axes");
  return order;
}

void OnnxGraph::transpose(const Node& node) {
  Tensor tensor = any_tensor(node, 0);
  if (tensor.pad != arch::Pad{} || tensor.mirrored > 0)
    fail(node, "reads what a Pad made; expected a Conv behind a Pad");
  tensor.axes = permuted(tensor.axes, order_of(node, tensor.axes.size()));
  give(node, tensor);
}

// Channels that were split into groups, exchanged and joined again are shuffled.
void OnnxGraph::settle(const Node& node, Tensor& tensor) {
  const int64_t channels = shape(tensor).c;
  for (Axis& axis : tensor.axes) {
    if (axis.size() != 2 || axis[0].axis != 'c' || axis[1].axis != 'c') continue;
    const Atom &outer = axis[0], &inner = axis[1];
    if (outer.stride != 1 || inner.stride != outer.size || outer.size * inner.size != channels) continue;
    const auto before = net_->quant(tensor.node);
    tensor.node = add(node, arch::ChannelShuffle{static_cast<int>(inner.size)}, {tensor.node}, node.name + "_shuffle");
    if (before) net_->quantize(tensor.node, *before);
    axis = {{'c', channels, 1}};
    tensor.shared = true;
  }
}

void OnnxGraph::concat(const Node& node) {
  std::vector<Tensor> parts;
  for (size_t k = 0; k < node.inputs.size(); ++k) parts.push_back(tensor(node, k));
  if (parts.empty()) fail(node, "has no input");
  const size_t axis = axis_of(node, integer(node, "axis", 1), parts[0].axes.size());
  if (parts.size() == 1) return give(node, parts[0]);
  Tensor joined = parts[0];
  for (const Tensor& part : parts) {
    Axes rest = part.axes;
    if (part.axes.size() != joined.axes.size() || !is_whole(part.axes[axis], 'c', shape(part).c))
      fail(node, "joins axes " + to_string(part.axes) + " along axis " + std::to_string(axis) + "; expected channels");
    rest[axis] = joined.axes[axis];
    if (rest != joined.axes) fail(node, "joins axes " + to_string(part.axes) + " and " + to_string(joined.axes));
  }
  arch::Inputs inputs;
  for (size_t k = 0; k < parts.size(); ++k) {
    if (inputs.size() == arch::kMaxInputs)
      inputs = arch::Inputs{add(node, arch::Concat{}, inputs, node.name + "_part")};
    inputs.push_back(parts[k].node);
  }
  const int id = add(node, arch::Concat{}, inputs);
  joined.axes[axis] = {{'c', net_->shape(id).c, 1}};
  give(node, {.node = id, .axes = joined.axes});
}

// `count` channels from `begin`; all of them: no node.
Tensor OnnxGraph::channels(const Node& node, const Tensor& tensor, size_t axis, int64_t begin, int64_t count,
                           const std::string& name) {
  const int64_t all = shape(tensor).c;
  if (!is_whole(tensor.axes[axis], 'c', all))
    fail(node,
         "takes a part of axis " + std::to_string(axis) + " of " + to_string(tensor.axes) + "; expected channels");
  if (begin < 0 || count < 1 || begin > all - count)
    fail(node, "takes channels " + std::to_string(begin) + ".." + std::to_string(begin + count) + " of " +
                   std::to_string(all));
  if (count == all) return tensor;
  const int id = add(node, arch::Slice{static_cast<int>(begin), static_cast<int>(count)}, {tensor.node}, name);
  Tensor part{.node = id, .axes = tensor.axes};
  part.axes[axis] = count == 1 ? Axis{} : Axis{{'c', count, 1}};
  return part;
}

void OnnxGraph::slice(const Node& node) {
  const Tensor tensor = this->tensor(node);
  const auto *starts = list(node, "starts", 1), *ends = list(node, "ends", 2), *axes = list(node, "axes", 3),
             *steps = list(node, "steps", 4);
  if (starts == nullptr || ends == nullptr || starts->size() != ends->size() ||
      (axes != nullptr && axes->size() != starts->size()))
    fail(node, "expected starts, ends and axes of one length");
  Tensor part = tensor;
  for (size_t k = 0; k < starts->size(); ++k) {
    const size_t axis = axis_of(node, axes != nullptr ? (*axes)[k] : static_cast<int64_t>(k), tensor.axes.size());
    if (steps != nullptr && (k >= steps->size() || (*steps)[k] != 1)) fail(node, "takes steps; expected 1");
    const int64_t size = extent(part.axes[axis]);
    const auto place = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size); };
    const int64_t begin = place((*starts)[k]), end = place((*ends)[k]);
    if (begin == 0 && end == size) continue;
    part = channels(node, part, axis, begin, end - begin, "");
  }
  give(node, part);
}

void OnnxGraph::split(const Node& node) {
  const Tensor tensor = this->tensor(node);
  const size_t axis = axis_of(node, integer(node, "axis", 0), tensor.axes.size());
  const auto count = static_cast<int64_t>(node.outputs.size());
  const int64_t size = extent(tensor.axes[axis]);
  std::vector<int64_t> sizes;
  if (const auto* given = list(node, "split", 1)) {
    sizes = *given;
  } else if (count > 0) {
    const int64_t each = (size + count - 1) / count;
    for (int64_t rest = size; std::cmp_less(sizes.size(), count); rest -= each) sizes.push_back(std::min(rest, each));
  }
  if (sizes.size() != node.outputs.size())
    fail(node, std::to_string(sizes.size()) + " parts for " + std::to_string(count) + " outputs");
  int64_t begin = 0;
  for (size_t k = 0; k < sizes.size(); ++k) {
    if (uses_.contains(node.outputs[k])) give(node, channels(node, tensor, axis, begin, sizes[k], node.outputs[k]), k);
    if (__builtin_add_overflow(begin, sizes[k], &begin)) fail(node, "parts that are too large");
  }
}

void OnnxGraph::pad(const Node& node) {
  Tensor tensor = any_tensor(node, 0);
  if (tensor.mirrored > 0) fail(node, "pads twice");
  const std::string mode = text(node, "mode", "constant");
  const size_t rank = tensor.axes.size();
  const auto* given = list(node, "pads", 1);
  if (given == nullptr) given = list(node, "paddings", 1);
  const auto* axes = has_input(node, 3) ? list(node, "axes", 3) : nullptr;
  const size_t count = axes != nullptr ? axes->size() : rank;
  if (given == nullptr || given->size() != 2 * count) fail(node, "expected two pads for each axis");
  arch::Pad pad;
  bool any = false;
  for (size_t k = 0; k < count; ++k) {
    const size_t axis = axes != nullptr ? axis_of(node, (*axes)[k], rank) : k;
    const int64_t before = (*given)[k], after = (*given)[k + count];
    if (before == 0 && after == 0) continue;
    any = true;
    const bool rows = is_whole(tensor.axes[axis], 'h', shape(tensor).h) && axis + 2 == rank && rank == 4;
    const bool columns = is_whole(tensor.axes[axis], 'w', shape(tensor).w) && axis + 1 == rank && rank > 2;
    if (before < 0 || after < 0 || before > arch::kMaxWindow || after > arch::kMaxWindow || (!rows && !columns))
      fail(node,
           "pads " + list_text(*given) + "; expected 0.." + std::to_string(arch::kMaxWindow) + " of height and width");
    (rows ? pad.top : pad.left) += static_cast<int>(before);
    (rows ? pad.bottom : pad.right) += static_cast<int>(after);
  }
  if (!any) return give(node, tensor);
  if (mode == "reflect") {
    if (pad != arch::pad_all(pad.top) || tensor.pad != arch::Pad{}) fail(node, "mirrors unequally on the four sides");
    tensor.mirrored = pad.top;
    return give(node, tensor);
  }
  const double value = node.attributes.contains("value") ? number(node, "value", 0)
                       : has_input(node, 2)              ? scalar(node, 2, "value")
                                                         : 0;
  if (mode != "constant" || value != 0)
    fail(node, "mode " + core::printable(mode) + " with value " + core::number(value) + "; expected zeros");
  tensor.pad.top += pad.top;
  tensor.pad.bottom += pad.bottom;
  tensor.pad.left += pad.left;
  tensor.pad.right += pad.right;
  if (std::max({tensor.pad.top, tensor.pad.bottom, tensor.pad.left, tensor.pad.right}) > arch::kMaxWindow)
    fail(node, "pads too much");
  give(node, tensor);
}

}  // namespace condenser::importers
