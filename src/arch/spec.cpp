// Structure of a Spec: validation, consumers, liveness, look-up. Shapes are in analysis.cpp, the hash in
// spec_hash.cpp.

#include "condenser/arch/spec.hpp"

#include <algorithm>
#include <cmath>

#include "arch/name_set.hpp"
#include "arch/node_check.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/text.hpp"

namespace condenser::arch {
namespace {

constexpr std::array<bool, 256> kIllegal = [] {
  std::array<bool, 256> illegal{};
  illegal.fill(true);
  for (int c = 'a'; c <= 'z'; ++c) illegal[static_cast<size_t>(c)] = false;
  for (int c = '0'; c <= '9'; ++c) illegal[static_cast<size_t>(c)] = false;
  illegal['_'] = false;
  return illegal;
}();

bool legal_name(const std::string& name) {
  if (name.empty() || name.size() > static_cast<size_t>(kMaxNameLength) || name[0] < 'a' || name[0] > 'z') return false;
  bool illegal = false;
  for (char c : name) illegal |= kIllegal[static_cast<unsigned char>(c)];
  return !illegal;
}

// Names come from files and end in one-line messages: no control characters, no endless text.
std::string shown(const std::string& name) {
  std::string text;
  for (char c : name.substr(0, 60)) text += (c >= 32 && c < 127) ? c : '?';
  return name.size() > 60 ? text + "..." : text;
}

[[noreturn, gnu::cold, gnu::noinline]] void out_of_range(const std::string& node, const char* what, int value, int low,
                                                         int high) {
  throw SpecError(node, std::string(what) + " = " + std::to_string(value) + "; expected " + std::to_string(low) + ".." +
                            std::to_string(high));
}

inline void range(const std::string& node, const char* what, int value, int low, int high) {
  if (value < low || value > high) out_of_range(node, what, value, low, high);
}

void check_window(const std::string& node, const Size& kernel, const Size& stride, const Pad& pad) {
  range(node, "kernel height", kernel.h, 1, kMaxWindow);
  range(node, "kernel width", kernel.w, 1, kMaxWindow);
  range(node, "stride height", stride.h, 1, kMaxWindow);
  range(node, "stride width", stride.w, 1, kMaxWindow);
  // A window must see at least one real value: narrower than the kernel on each side.
  range(node, "padding top", pad.top, 0, kernel.h - 1);
  range(node, "padding bottom", pad.bottom, 0, kernel.h - 1);
  range(node, "padding left", pad.left, 0, kernel.w - 1);
  range(node, "padding right", pad.right, 0, kernel.w - 1);
}

// LibTorch's rule for pools: at most half the kernel.
void check_pool(const std::string& node, const Size& kernel, const Size& stride, const Pad& pad) {
  check_window(node, kernel, stride, pad);
  range(node, "pool padding top", pad.top, 0, kernel.h / 2);
  range(node, "pool padding bottom", pad.bottom, 0, kernel.h / 2);
  range(node, "pool padding left", pad.left, 0, kernel.w / 2);
  range(node, "pool padding right", pad.right, 0, kernel.w / 2);
}

void check_batch_norm(const std::string& node, const BatchNorm& bn) {
  const bool eps_ok = std::isfinite(bn.eps) && bn.eps > 0 && bn.eps <= 1;
  if (!eps_ok) throw SpecError(node, "eps = " + core::number(bn.eps) + "; expected more than 0, at most 1");
  const bool momentum_ok = std::isfinite(bn.momentum) && bn.momentum >= 0 && bn.momentum <= 1;
  if (!momentum_ok) throw SpecError(node, "momentum = " + core::number(bn.momentum) + "; expected 0..1");
}

void check_weight_bits(const std::string& node, int bits) {
  if (bits != 8 && bits != 4) throw SpecError(node, "weight_bits = " + std::to_string(bits) + "; expected 8 or 4");
}

void check_attributes(const std::string& node, const Op& op) {
  arch::visit(op, Overloaded{
                      [](const Input&) {},
                      [&](const Conv2d& conv) {
                        range(node, "out", conv.out, 1, kMaxChannels);
                        range(node, "groups", conv.groups, 1, kMaxChannels);
                        check_weight_bits(node, conv.weight_bits);
                        check_window(node, conv.kernel, conv.stride, conv.pad);
                        if (conv.out % conv.groups != 0)
                          throw SpecError(node, "out = " + std::to_string(conv.out) + ", groups = " +
                                                    std::to_string(conv.groups) + "; out must be a multiple of groups");
                      },
                      [&](const BatchNorm& bn) { check_batch_norm(node, bn); },
                      [](const Activation&) {},
                      [](const Softmax&) {},
                      [](const SoftmaxMul&) {},
                      [&](const AvgPool& pool) { check_pool(node, pool.kernel, pool.stride, pool.pad); },
                      [&](const MaxPool& pool) { check_pool(node, pool.kernel, pool.stride, pool.pad); },
                      [](const GlobalAvgPool&) {},
                      [&](const Linear& linear) {
                        range(node, "out", linear.out, 1, kMaxChannels);
                        check_weight_bits(node, linear.weight_bits);
                      },
                      [](const Add&) {},
                      [](const Mul&) {},
                      [](const PRelu&) {},
                      [](const Scale&) {},
                      [&](const BlurPool& pool) {
                        if (pool.taps != 3 && pool.taps != 5)
                          throw SpecError(node, "taps = " + std::to_string(pool.taps) + "; expected 3 or 5");
                        range(node, "stride height", pool.stride.h, 1, pool.taps);
                        range(node, "stride width", pool.stride.w, 1, pool.taps);
                      },
                      [&](const Upsample& up) {
                        range(node, "size height", up.size.h, 1, kMaxExtent);
                        range(node, "size width", up.size.w, 1, kMaxExtent);
                      },
                      [](const Concat&) {},
                      [&](const Slice& slice) {
                        range(node, "begin", slice.begin, 0, kMaxChannels - 1);
                        range(node, "count", slice.count, 1, kMaxChannels);
                      },
                      [&](const ChannelShuffle& shuffle) { range(node, "groups", shuffle.groups, 1, kMaxChannels); },
                  });
}

}  // namespace

SpecError::SpecError(std::string node, const std::string& message)
    : core::Error(node.empty() ? message : "node " + node + ": " + message, core::ExitCode::Usage),
      node_(std::move(node)) {}

void check_input_shape(const Shape& s) {
  const auto inside = [](int64_t v, int64_t high) { return v >= 1 && v <= high; };
  if (!inside(s.c, kMaxChannels) || !inside(s.h, kMaxExtent) || !inside(s.w, kMaxExtent) || s.elements() > kMaxElements)
    throw SpecError("", "input shape " + to_string(s) + "; expected channels 1.." + std::to_string(kMaxChannels) +
                            ", height and width 1.." + std::to_string(kMaxExtent) + ", at most " +
                            std::to_string(kMaxElements) + " values");
}

void Inputs::too_many() {
  throw SpecError("", "more than " + std::to_string(kMaxInputs) + " inputs of one node; join them in two steps");
}

void bad_input_count(const std::string& name, const Op& op, size_t count) {
  const int expected = input_count(op);
  throw SpecError(name, std::to_string(count) + " inputs for " + op_name(op) + "; expected " +
                            (expected == kManyInputs ? "2 or more" : std::to_string(expected)));
}

void check_node(const Node& node, int index) {
  if (!legal_name(node.name))
    throw SpecError(shown(node.name), "name of node " + std::to_string(index) +
                                          "; expected a lower-case letter, then letters, digits and '_', at most " +
                                          std::to_string(kMaxNameLength) + " in all");
  if (std::holds_alternative<Input>(node.op) != (index == 0))
    throw SpecError(node.name, index == 0 ? std::string("is the first node, a ") + op_name(node.op) +
                                                "; expected the input node first"
                                          : "is a second input node; expected one, at the beginning");
  check_input_count(node.name, node.op, node.inputs.size());
  for (int input : node.inputs) {
    if (input < 0 || input >= index)
      throw SpecError(node.name, "reads node " + std::to_string(input) + " but is node " + std::to_string(index) +
                                     "; nodes read earlier nodes only");
  }
  check_attributes(node.name, node.op);
}

namespace {

void check_outputs(const Spec& spec) {
  for (size_t k = 0; k < spec.outputs.size(); ++k) {
    const int id = spec.outputs[k];
    if (id < 1 || id >= static_cast<int>(spec.nodes.size()))
      throw SpecError("", "output " + std::to_string(k) + " of network '" + shown(spec.name) + "' is node " +
                              std::to_string(id) + "; expected 1.." + std::to_string(spec.nodes.size() - 1) +
                              ", a node behind the input");
    if (std::find(spec.outputs.begin(), spec.outputs.begin() + static_cast<std::ptrdiff_t>(k), id) !=
        spec.outputs.begin() + static_cast<std::ptrdiff_t>(k))
      throw SpecError(spec.node(id).name, "is named twice among the outputs; expected every output once");
  }
}

}  // namespace

void validate(const Spec& spec) {
  check_input_shape(spec.input);
  const size_t count = spec.nodes.size();
  if (count < 2 || count > static_cast<size_t>(kMaxNodes))
    throw SpecError("", "network '" + shown(spec.name) + "' has " + std::to_string(count) + " nodes; expected 2.." +
                            std::to_string(kMaxNodes) + ", the input counted");
  NameSet names(count);
  const auto name_of = [&](uint32_t i) -> const std::string& { return spec.nodes[i].name; };
  for (size_t i = 0; i < count; ++i) {
    check_node(spec.nodes[i], static_cast<int>(i));
    if (!names.insert(spec.nodes[i].name, static_cast<uint32_t>(i), name_of))
      throw SpecError(spec.nodes[i].name, "two nodes of this name; names must differ");
  }
  check_outputs(spec);
}

int sole_output(const Spec& spec, const std::string& purpose) {
  if (spec.output_count() == 1) return spec.output();
  std::string names;
  for (size_t k = 0; k < spec.output_count(); ++k) names += (k ? ", " : "") + spec.node(spec.output(k)).name;
  throw SpecError("", "network '" + shown(spec.name) + "' has " + std::to_string(spec.output_count()) + " outputs (" +
                          names + "), and " + purpose + " takes a network of one; name a single node under outputs");
}

void set_outputs(Spec& spec, std::vector<int> ids) {
  spec.outputs = std::move(ids);
  if (!spec.names_outputs()) spec.outputs.clear();
}

std::vector<std::vector<int>> consumers(const Spec& spec) {
  std::vector<std::vector<int>> readers(spec.nodes.size());
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    for (int input : spec.nodes[i].inputs) {
      std::vector<int>& list = readers[static_cast<size_t>(input)];
      if (list.empty() || list.back() != static_cast<int>(i)) list.push_back(static_cast<int>(i));
    }
  }
  return readers;
}

Liveness live_nodes(const Spec& spec) {
  Liveness live(spec.nodes.size(), false);
  if (live.empty()) return live;
  live.front() = true;
  for (size_t k = 0; k < spec.output_count(); ++k) live[static_cast<size_t>(spec.output(k))] = true;
  for (size_t i = spec.nodes.size(); i-- > 0;) {
    if (!live[i]) continue;
    for (int input : spec.nodes[i].inputs) live[static_cast<size_t>(input)] = true;
  }
  return live;
}

int find_node(const Spec& spec, const std::string& name) {
  std::vector<std::string> names;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    if (spec.nodes[i].name == name) return static_cast<int>(i);
    names.push_back(spec.nodes[i].name);
  }
  const std::string near = core::config::nearest(name, names);
  throw SpecError(shown(name), "no such node in '" + shown(spec.name) + "'" +
                                   (near.empty() ? std::string() : "; the nearest is '" + near + "'"));
}

}  // namespace condenser::arch
