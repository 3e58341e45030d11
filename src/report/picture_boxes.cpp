// From nodes to boxes: which nodes are drawn as one, what is written on them, and who reads whom.

#include <algorithm>
#include <cmath>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/diagram.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"
#include "report/picture_parts.hpp"

namespace condenser::report {

using namespace arch;

namespace {

constexpr int kMostLanes = 8;      // more columns become a texture
constexpr double kMostText = 128;  // width of a line on a box
constexpr double kTitleSize = 11.5, kSmallSize = 10;

// A code point and how many bytes it takes.
size_t symbol_length(const std::string& text, size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// In units of the font size; those of DejaVu Sans, the widest of the fonts that stand in for "sans-serif".
double symbol_width(const std::string& text, size_t at) {
  const char c = text[at];
  if (static_cast<unsigned char>(c) >= 0x80) return 0.84;
  if (std::string_view("ijl.,:;|!' ").find(c) != std::string_view::npos) return 0.34;
  if (std::string_view("frt()[]/-").find(c) != std::string_view::npos) return 0.42;
  if (std::string_view("mwMW%@+=<>").find(c) != std::string_view::npos) return 0.98;
  return c >= 'A' && c <= 'Z' ? 0.75 : 0.64;
}

// ---- which nodes share a box

bool follows(const Op& op) {
  return std::holds_alternative<BatchNorm>(op) || std::holds_alternative<Activation>(op) ||
         std::holds_alternative<PRelu>(op);
}

bool leads(const Op& op) { return !std::holds_alternative<Input>(op) && !std::holds_alternative<Slice>(op); }

// Whether `reader` is drawn in the box of the node it reads, given that nobody else reads that node: batch norm and
// activation, a product in the box of its softmax, a sum in the box of the sum before it.
bool joins(const Op& reader, const Op& last, size_t size) {
  if (follows(reader)) return leads(last);
  if (std::holds_alternative<Mul>(reader)) return std::holds_alternative<Softmax>(last) && size == 1;
  return std::holds_alternative<Add>(reader) && std::holds_alternative<Add>(last);
}

std::string scope_of(const std::string& name) { return name.substr(0, name.find('_')); }

// Live nodes by box, boxes in the order of their last nodes.
std::vector<std::vector<int>> grouped(const Spec& spec) {
  const auto live = live_nodes(spec);
  std::vector<int> readers(spec.nodes.size(), 0);
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    if (!live[i]) continue;
    for (int input : spec.nodes[i].inputs) ++readers[static_cast<size_t>(input)];
  }
  std::map<int, std::vector<int>> by_last;  // last node -> box
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    if (!live[i]) continue;
    const Node& node = spec.nodes[i];
    std::vector<int> box;
    for (int input : node.inputs) {
      const auto at = static_cast<size_t>(input);
      const auto found = by_last.find(input);
      if (readers[at] != 1 || spec.is_output(input) || found == by_last.end()) continue;
      if (scope_of(spec.nodes[at].name) != scope_of(node.name)) continue;
      if (!joins(node.op, spec.nodes[at].op, found->second.size())) continue;
      box.insert(box.end(), found->second.begin(), found->second.end());
      by_last.erase(found);
      if (std::holds_alternative<Mul>(node.op)) break;  // a product of two softmaxes joins one
    }
    std::sort(box.begin(), box.end());
    box.push_back(static_cast<int>(i));
    by_last[static_cast<int>(i)] = box;
  }
  std::vector<std::vector<int>> result;
  for (auto& [last, box] : by_last) result.push_back(std::move(box));
  return result;
}

// ---- what is written on a box

std::string extents(const Size& s) { return std::to_string(s.h) + "×" + std::to_string(s.w); }

std::string window(const Size& kernel, const Size& stride) {
  if (stride == Size{1, 1}) return extents(kernel);
  return extents(kernel) + " /" + (stride.h == stride.w ? std::to_string(stride.h) : extents(stride));
}

struct Look {
  std::string title;
  Glyph glyph = Glyph::Line;
  int lanes = 1;
  double begin = 0, end = 1;
};

Look look_of_conv(const Conv2d& op, const Shape& input) {
  const std::string text = window(op.kernel, op.stride);
  if (depthwise(op, input) && input.c > 1) return {"depthwise " + text, Glyph::Texture};
  if (op.groups == 1) return {"conv " + text, Glyph::Band};
  const std::string columns = std::to_string(op.groups) + " × conv " + text;
  return {columns, op.groups <= kMostLanes ? Glyph::Lanes : Glyph::Texture, op.groups};
}

Look look_of_slice(const Slice& op, const Shape& input) {
  const auto c = static_cast<double>(input.c);
  return {"slice " + std::to_string(op.begin) + "–" + std::to_string(int64_t{op.begin} + op.count - 1), Glyph::Part, 1,
          op.begin / c, (op.begin + static_cast<double>(op.count)) / c};
}

Look look_of(const Op& any, const Shape& input, int inputs) {
  return arch::visit(any, Overloaded{
                              [](const Input&) {
                                return Look{"input", Glyph::Band};
                              },
                              [&](const Conv2d& op) { return look_of_conv(op, input); },
                              [](const BatchNorm&) { return Look{"batch norm"}; },
                              [](const Activation& op) { return Look{to_string(op.kind)}; },
                              [](const Softmax&) { return Look{"softmax"}; },
                              [](const SoftmaxMul&) {
                                return Look{"softmax × value", Glyph::Attention};
                              },
                              [](const AvgPool& op) {
                                return Look{"avg pool " + window(op.kernel, op.stride), Glyph::Narrowing};
                              },
                              [](const MaxPool& op) {
                                return Look{"max pool " + window(op.kernel, op.stride), Glyph::Narrowing};
                              },
                              [](const GlobalAvgPool&) {
                                return Look{"global pool", Glyph::Narrowing};
                              },
                              [](const Linear&) {
                                return Look{"linear", Glyph::Band};
                              },
                              [](const Add&) {
                                return Look{"", Glyph::Plus};
                              },
                              [](const Mul&) {
                                return Look{"", Glyph::Times};
                              },
                              [](const PRelu&) { return Look{"prelu"}; },
                              [](const Scale&) { return Look{"scale"}; },
                              [](const BlurPool& op) {
                                return Look{"blur " + window(square(op.taps), op.stride), Glyph::Narrowing};
                              },
                              [](const Upsample&) {
                                return Look{"upsample", Glyph::Widening};
                              },
                              [&](const Concat&) {
                                return Look{"concat", Glyph::Stack, inputs};
                              },
                              [&](const Slice& op) { return look_of_slice(op, input); },
                              [](const ChannelShuffle& op) {
                                return Look{"shuffle " + std::to_string(op.groups), Glyph::Crossing, op.groups};
                              },
                          });
}

std::string short_name(const Op& op) { return std::holds_alternative<BatchNorm>(op) ? "bn" : describe(op); }

// "bn · silu": what follows the operator of the title.
std::string detail_of(const Spec& spec, const std::vector<int>& nodes) {
  std::string text;
  int sums = 0;
  for (int i : nodes) {
    const Op& op = spec.node(i).op;
    sums += std::holds_alternative<Add>(op) ? 1 : 0;
    if (i == nodes.front() || !follows(op)) continue;
    text += (text.empty() ? "" : " · ") + short_name(op);
  }
  if (sums > 1) text = "sum of " + std::to_string(sums + 1) + (text.empty() ? "" : " · ") + text;
  return text;
}

std::string tooltip_of(const Spec& spec, const Analysis& cost, const std::vector<int>& nodes) {
  std::string text;
  for (int i : nodes) {
    const Node& node = spec.node(i);
    const NodeCost& c = cost.node(i);
    text += (text.empty() ? "" : "\n") + node.name + ": " + describe(node.op) + ", " + shape_text(c.shape) + ", " +
            core::thousands(c.params) + " parameters, " + core::thousands(c.macs) + " MACs";
  }
  return text;
}

// Title over the glyph, detail and shape under it; a circle has all of its text on the side that no path comes from.
void write_lines(PictureBox& box, const std::string& title, const std::string& detail, const std::string& shape) {
  const auto line = [&](const std::string& text, double y, bool bold) {
    const double size = bold ? kTitleSize : kSmallSize;
    if (!text.empty()) box.lines.push_back({shorten(text, kMostText, size, bold), size, bold, {0, y}});
  };
  if (box.glyph == Glyph::Times) {
    line(detail, -33, false);
    line(shape, -20, false);
  } else if (box.glyph == Glyph::Plus) {
    line(detail, 24, false);
  } else {
    line(title, detail.empty() ? -25 : -31, true);
    line(detail, -17, false);
    line(shape, 24, false);
  }
  double widest = box.circle() ? 30 : 58;
  for (const Text& text : box.lines) widest = std::max(widest, text_width(text.text, text.size, text.bold));
  box.rect.w = std::ceil(widest) + (box.circle() ? 6 : 18);
  box.rect.h = kAbove + kBelow;
}

double share_of(const Analysis& cost, const std::vector<int>& nodes, Measure measure, int64_t arena_bytes) {
  if (measure == Measure::Memory) {
    const auto bytes = static_cast<double>(cost.node(nodes.back()).shape.elements());
    return arena_bytes > 0 ? std::min(1.0, bytes / static_cast<double>(arena_bytes)) : 0;
  }
  int64_t part = 0;
  for (int i : nodes) {
    const NodeCost& c = cost.node(i);
    part += measure == Measure::Macs ? c.macs : c.params;
  }
  const int64_t whole = measure == Measure::Macs ? cost.macs : cost.params;
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

bool joint(const Spec& spec, const std::vector<int>& nodes) {
  return nodes.size() > 1 && std::holds_alternative<Softmax>(spec.node(nodes[0]).op) &&
         std::holds_alternative<Mul>(spec.node(nodes[1]).op);
}

// " → output 1" where outputs are named; the last box needs no mark.
std::string output_mark(const Spec& spec, int node) {
  if (!spec.names_outputs()) return "";
  for (size_t k = 0; k < spec.output_count(); ++k)
    if (spec.output(k) == node) return spec.output_count() > 1 ? " → output " + std::to_string(k) : " → output";
  return "";
}

PictureBox make_box(const Spec& spec, const Analysis& cost, const std::vector<int>& nodes, int inputs) {
  const Node& first = spec.node(nodes.front());
  const Shape input = first.inputs.empty() ? Shape{} : cost.node(first.inputs[0]).shape;
  Look look = look_of(first.op, input, inputs);
  if (joint(spec, nodes)) look = {"softmax × value", Glyph::Attention};
  PictureBox box;
  box.nodes = nodes;
  box.glyph = look.glyph;
  box.lanes = look.lanes;
  box.part_begin = look.begin;
  box.part_end = look.end;
  box.tooltip = tooltip_of(spec, cost, nodes);
  write_lines(box, look.title, detail_of(spec, nodes),
              shape_text(cost.node(nodes.back()).shape) + output_mark(spec, nodes.back()));
  return box;
}

// The box that gives the weights of a product: what is read by the softmax, or the one value per channel.
int attention_input(const Spec& spec, const Analysis& cost, const std::vector<int>& nodes,
                    const std::vector<int>& box_of) {
  const Node& first = spec.node(nodes.front());
  const auto source = [&](size_t k) { return box_of[static_cast<size_t>(first.inputs[k])]; };
  if (joint(spec, nodes) || std::holds_alternative<SoftmaxMul>(first.op)) return source(0);
  if (!std::holds_alternative<Mul>(first.op)) return -1;
  for (size_t k : {size_t{0}, size_t{1}}) {
    const Shape& gate = cost.node(first.inputs[k]).shape;
    const Shape& gated = cost.node(first.inputs[1 - k]).shape;
    if (gate.h * gate.w == 1 && gated.h * gated.w > 1) return source(k);
  }
  return -1;
}

bool condenses(const Op& op) {
  return std::holds_alternative<GlobalAvgPool>(op) || std::holds_alternative<Upsample>(op);
}

}  // namespace

double text_width(const std::string& text, double size, bool bold) {
  double width = 0;
  for (size_t at = 0; at < text.size(); at += symbol_length(text, at)) width += symbol_width(text, at);
  return width * size * (bold ? 1.1 : 1.0);
}

std::string shorten(const std::string& text, double width, double size, bool bold) {
  if (text_width(text, size, bold) <= width) return text;
  std::string result;
  for (size_t at = 0; at < text.size(); at += symbol_length(text, at)) {
    const std::string longer = result + text.substr(at, symbol_length(text, at));
    if (text_width(longer + "…", size, bold) > width) break;
    result = longer;
  }
  return result.empty() ? "" : result + "…";
}

std::string plain(const std::string& text) {
  std::string result;
  for (char c : text) result += c >= ' ' && c <= '~' ? c : '_';
  return result;
}

std::string shape_text(const Shape& s) {
  const std::string channels = std::to_string(s.c);
  return s.h == 1 && s.w == 1 ? channels : channels + " × " + std::to_string(s.h) + " × " + std::to_string(s.w);
}

std::string percent_text(double share) {
  return share > 0 && share < 0.0005 ? "< 0.1 %" : core::fixed(share * 100, 1) + " %";
}

const char* to_string(Measure measure) {
  switch (measure) {
    case Measure::Macs: return "macs";
    case Measure::Memory: return "memory";
    case Measure::Params: return "params";
  }
  return "unknown";
}

Measure measure_of(const std::string& name) {
  for (Measure measure : {Measure::Macs, Measure::Memory, Measure::Params}) {
    if (name == to_string(measure)) return measure;
  }
  throw core::ConfigError("colour " + name + "; expected macs, memory or params");
}

Boxes boxes_of(const Spec& spec, Measure measure, int64_t arena_bytes) {
  const Analysis cost = analyze(spec);
  const auto groups = grouped(spec);
  std::vector<int> box_of(spec.nodes.size(), -1);
  for (size_t b = 0; b < groups.size(); ++b) {
    for (int i : groups[b]) box_of[static_cast<size_t>(i)] = static_cast<int>(b);
  }
  Boxes result;
  for (size_t b = 0; b < groups.size(); ++b) {
    const auto& nodes = groups[b];
    std::vector<int> inputs;
    for (int i : nodes) {
      for (int input : spec.node(i).inputs) {
        const int from = box_of[static_cast<size_t>(input)];
        if (from != static_cast<int>(b) && std::find(inputs.begin(), inputs.end(), from) == inputs.end())
          inputs.push_back(from);
      }
    }
    result.boxes.push_back(make_box(spec, cost, nodes, static_cast<int>(inputs.size())));
    result.boxes.back().share = share_of(cost, nodes, measure, arena_bytes);
    result.inputs.push_back(inputs);
    result.scopes.push_back(scope_of(spec.node(nodes.back()).name));
    result.shapes.push_back(cost.node(nodes.back()).shape);
    result.attention.push_back(attention_input(spec, cost, nodes, box_of));
    result.condenses.push_back(condenses(spec.node(nodes.front()).op));
  }
  return result;
}

}  // namespace condenser::report
