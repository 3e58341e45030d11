// The identity of a Spec. A node's colour is the hash of its operator, attributes and the colours of its inputs (a
// Merkle tree from the input up). That alone cannot tell one convolution read twice from two equal convolutions, so
// colours are refined once from the readers down and once more up (Weisfeiler-Lehman); the hash covers the multiset of
// the refined colours of all live nodes. Graphs that only a search could tell apart (rings of equal nodes) may still
// share a hash; no network looks like that.
//
// Stored studies depend on these bytes: a new attribute may enter the text only when it differs from its default.

#include <algorithm>
#include <bit>
#include <cstdio>
#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"

namespace condenser::arch {
namespace {

using core::Hash128;

std::string text(const Size& s) { return std::to_string(s.h) + "," + std::to_string(s.w); }

std::string text(const Pad& p) {
  return std::to_string(p.top) + "," + std::to_string(p.bottom) + "," + std::to_string(p.left) + "," +
         std::to_string(p.right);
}

std::string text(double value) {  // exact bits; minus zero is zero
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx",
                static_cast<unsigned long long>(std::bit_cast<uint64_t>(value == 0 ? 0.0 : value)));
  return digits;
}

template <class Window>
std::string window(const Window& w) {
  return ";kernel=" + text(w.kernel) + ";stride=" + text(w.stride) + ";pad=" + text(w.pad);
}

std::string clamp_text(Clamp clamp) { return clamp == Clamp::None ? "" : std::string(";clamp=") + to_string(clamp); }

std::string softmax_text(SoftmaxAxis axis, bool rescale) {
  return (axis == SoftmaxAxis::Channels ? std::string() : std::string(";axis=") + to_string(axis)) +
         (rescale ? ";rescale" : "");
}

std::string attributes(const Op& op, const Shape& input) {
  const std::string rest = std::visit(
      Overloaded{
          [&](const Input&) { return ";shape=" + to_string(input); },
          [](const Conv2d& c) {
            return ";out=" + std::to_string(c.out) + window(c) + ";groups=" + std::to_string(c.groups) +
                   ";bias=" + std::to_string(c.bias) + clamp_text(c.clamp);
          },
          [](const BatchNorm& b) { return ";eps=" + text(b.eps) + ";momentum=" + text(b.momentum); },
          [](const Activation& a) { return std::string(";kind=") + to_string(a.kind); },
          [](const Softmax& s) { return softmax_text(s.axis, s.rescale); },
          [](const SoftmaxMul& s) { return softmax_text(s.axis, s.rescale); },
          [](const AvgPool& p) { return window(p) + ";count_include_pad=" + std::to_string(p.count_include_pad); },
          [](const MaxPool& p) { return window(p); },
          [](const GlobalAvgPool&) { return std::string(); },
          [](const Linear& l) {
            return ";out=" + std::to_string(l.out) + ";bias=" + std::to_string(l.bias) + clamp_text(l.clamp);
          },
          [](const Add& a) { return clamp_text(a.clamp); },
          [](const Mul&) { return std::string(); },
          [](const PRelu&) { return std::string(); },
          [](const Scale&) { return std::string(); },
          [](const BlurPool& p) { return ";taps=" + std::to_string(p.taps) + ";stride=" + text(p.stride); },
          [](const Upsample& u) { return ";size=" + text(u.size); },
          [](const Concat&) { return std::string(); },
          [](const Slice& s) { return ";begin=" + std::to_string(s.begin) + ";count=" + std::to_string(s.count); },
          [](const ChannelShuffle& s) { return ";groups=" + std::to_string(s.groups); },
      },
      op);
  return op_name(op) + rest;
}

// Colours alone cannot tell p(a, a), q(b, b) from p(a, b), q(a, b) when a and b look alike.
bool reads_one_node_twice(const Node& node) {
  for (size_t k = 1; k < node.inputs.size(); ++k)
    if (std::find(node.inputs.begin(), node.inputs.begin() + k, node.inputs[k]) != node.inputs.begin() + k) return true;
  return false;
}

// Hash of a label and a list of hashes, sorted first when their order does not matter.
Hash128 combine(const std::string& label, std::vector<Hash128> parts, bool unordered) {
  if (unordered) std::sort(parts.begin(), parts.end());
  std::string bytes = label + "\n";
  for (const Hash128& part : parts) bytes += part.hex() + "\n";
  return core::hash128(bytes);
}

// One sweep from the input to the output: colour' = H(label, colours' of the inputs).
std::vector<Hash128> sweep_up(const Spec& spec, const Liveness& live, const std::vector<std::string>& labels) {
  std::vector<Hash128> colour(spec.nodes.size());
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    if (!live[i]) continue;
    std::vector<Hash128> inputs;
    for (int input : spec.nodes[i].inputs) inputs.push_back(colour[static_cast<size_t>(input)]);
    colour[i] = combine(labels[i], std::move(inputs), commutative(spec.nodes[i].op));
  }
  return colour;
}

// One sweep from the output to the input: colour' = H(colour, {(colour' of a reader, place among its inputs)}).
std::vector<Hash128> sweep_down(const Spec& spec, const Liveness& live, const std::vector<Hash128>& up) {
  std::vector<Hash128> colour(spec.nodes.size());
  std::vector<std::vector<Hash128>> readers(spec.nodes.size());
  for (size_t i = spec.nodes.size(); i-- > 0;) {
    if (!live[i]) continue;
    colour[i] = combine(up[i].hex(), std::move(readers[i]), true);
    const bool any_order = commutative(spec.nodes[i].op);
    for (size_t k = 0; k < spec.nodes[i].inputs.size(); ++k) {
      const std::string place = any_order ? "any" : std::to_string(k);
      readers[static_cast<size_t>(spec.nodes[i].inputs[k])].push_back(combine(place, {colour[i]}, false));
    }
  }
  return colour;
}

}  // namespace

core::Hash128 hash(const Spec& spec) {
  validate(spec);
  const Liveness live = live_nodes(spec);
  std::vector<std::string> labels(spec.nodes.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    labels[i] = attributes(spec.nodes[i].op, spec.input);
    if (reads_one_node_twice(spec.nodes[i])) labels[i] += ";twice";
  }
  const std::vector<Hash128> up = sweep_up(spec, live, labels);
  const std::vector<Hash128> down = sweep_down(spec, live, up);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = down[i].hex();
  const std::vector<Hash128> refined = sweep_up(spec, live, labels);

  std::vector<Hash128> all;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (live[i]) all.push_back(refined[i]);
  }
  return combine("condenser spec 1\n" + up.back().hex(), std::move(all), true);
}

}  // namespace condenser::arch
