// A Spec for people: the table of layers, Mermaid and DOT. Both diagrams draw the same boxes; colours, fonts and layout
// are left to the tools that draw them.

#include "condenser/arch/diagram.hpp"

#include <map>
#include <set>

#include "condenser/arch/analysis.hpp"

namespace condenser::arch {
namespace {

// "3x3/2", "10x4/2x1 pad 5,5,1,1"; the stride when it is not 1, the padding when it is not the usual one.
std::string window_text(const Size& kernel, const Size& stride, const Pad& pad, const Pad& usual) {
  const auto extents = [](int a, int b) { return std::to_string(a) + "x" + std::to_string(b); };
  std::string text = extents(kernel.h, kernel.w);
  if (!(stride == Size{1, 1})) {
    text += "/" + (stride.h == stride.w ? std::to_string(stride.h) : extents(stride.h, stride.w));
  }
  if (pad == usual) return text;
  if (pad == pad_all(pad.top)) return text + " pad " + std::to_string(pad.top);
  return text + " pad " + std::to_string(pad.top) + "," + std::to_string(pad.bottom) + "," + std::to_string(pad.left) +
         "," + std::to_string(pad.right);
}

std::string bits_text(int weight_bits) { return weight_bits == 8 ? "" : ", int" + std::to_string(weight_bits); }

std::string clamp_text(Clamp clamp) { return clamp == Clamp::None ? "" : std::string(", ") + to_string(clamp); }

std::string softmax_text(SoftmaxAxis axis, bool rescale) {
  return std::string(rescale ? "n " : "") + "softmax" + (axis == SoftmaxAxis::Space ? " over space" : "");
}

// Nodes that are drawn as one box: a producer and the batch norm and activation that only it feeds.
struct Box {
  std::vector<int> nodes;
};

struct Drawing {
  std::vector<Box> boxes;                             // in the order of their first nodes
  std::vector<int> box_of;                            // per node
  std::map<std::string, std::vector<size_t>> groups;  // scope -> boxes; at least two each
  std::vector<std::string> group_of;                  // per box, "" when it stands alone
  std::set<std::pair<int, int>> edges;                // from box, to box
};

// Operators that start a chain; a batch norm or activation after anything else is a box of its own.
bool heads_chain(const Op& op) {
  return arch::visit(op, Overloaded{
                             [](const Conv2d&) { return true; },
                             [](const Linear&) { return true; },
                             [](const Add&) { return true; },
                             [](const Mul&) { return true; },
                             [](const SoftmaxMul&) { return true; },
                             [](const BatchNorm&) { return true; },
                             [](const Input&) { return false; },
                             [](const Activation&) { return false; },
                             [](const Softmax&) { return false; },
                             [](const AvgPool&) { return false; },
                             [](const MaxPool&) { return false; },
                             [](const GlobalAvgPool&) { return false; },
                             [](const PRelu&) { return false; },
                             [](const Scale&) { return false; },
                             [](const BlurPool&) { return false; },
                             [](const Upsample&) { return false; },
                             [](const Concat&) { return true; },
                             [](const Slice&) { return false; },
                             [](const ChannelShuffle&) { return false; },
                         });
}

// Whether `op` may be drawn below `last`, the lowest operator of a box so far.
bool continues_chain(const Op& last, const Op& op) {
  if (!heads_chain(last)) return false;
  if (std::holds_alternative<Activation>(op) || std::holds_alternative<PRelu>(op)) return true;
  return std::holds_alternative<BatchNorm>(op) && !std::holds_alternative<BatchNorm>(last);
}

// The part of a name before the first '_': "s1b1" of "s1b1_c1_bn".
std::string scope_of(const std::string& name) { return name.substr(0, name.find('_')); }

Drawing draw(const Spec& spec) {
  Drawing drawing;
  const auto readers = consumers(spec);
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const Node& node = spec.nodes[i];
    const int producer = node.inputs.size() == 1 ? node.inputs[0] : -1;
    if (producer >= 0 && readers[static_cast<size_t>(producer)].size() == 1 && !spec.is_output(producer) &&
        continues_chain(spec.node(producer).op, node.op)) {
      drawing.box_of.push_back(drawing.box_of[static_cast<size_t>(producer)]);
    } else {
      drawing.box_of.push_back(static_cast<int>(drawing.boxes.size()));
      drawing.boxes.emplace_back();
    }
    drawing.boxes[static_cast<size_t>(drawing.box_of.back())].nodes.push_back(static_cast<int>(i));
    for (int input : node.inputs) {
      const int from = drawing.box_of[static_cast<size_t>(input)], to = drawing.box_of.back();
      if (from != to) drawing.edges.insert({from, to});
    }
  }
  for (size_t box = 0; box < drawing.boxes.size(); ++box) {
    const auto first = static_cast<size_t>(drawing.boxes[box].nodes.front());
    drawing.group_of.push_back(scope_of(spec.nodes[first].name));
    drawing.groups[drawing.group_of.back()].push_back(box);
  }
  for (std::string& group : drawing.group_of) {
    if (drawing.groups.at(group).size() < 2) group.clear();
  }
  std::erase_if(drawing.groups, [](const auto& entry) { return entry.second.size() < 2; });
  return drawing;
}

const Node& first_node(const Spec& spec, const Box& box) { return spec.node(box.nodes.front()); }

std::string short_name(const Op& op) {
  return std::holds_alternative<BatchNorm>(op) ? "bn" : describe(op);  // as in the literature
}

// Three lines: name, operators, output shape; a fourth for outputs that are named.
std::string label(const Spec& spec, const Analysis& analysis, const Box& box, const std::string& line_break) {
  std::string text = first_node(spec, box).name + line_break;
  for (int i : box.nodes) {
    const Op& op = spec.node(i).op;
    text += (i == box.nodes.front() ? "" : ", ") + (box.nodes.size() > 1 ? short_name(op) : describe(op));
  }
  text += line_break + to_string(analysis.node(box.nodes.back()).shape);
  if (!spec.names_outputs()) return text;  // it is the last box
  for (size_t k = 0; k < spec.output_count(); ++k) {
    if (spec.output(k) != box.nodes.back()) continue;
    text += line_break + "output" + (spec.output_count() > 1 ? " " + std::to_string(k) : "");
  }
  return text;
}

// How one language writes a box, the frame of a group and an edge.
struct Language {
  std::string indent, line_break;
  std::string (*box)(const std::string& name, const std::string& label);
  std::string (*open)(const std::string& group);
  std::string close;
  std::string (*edge)(const std::string& from, const std::string& to);
};

std::string draw_in(const Language& language, const Spec& spec) {
  const Analysis analysis = analyze(spec);
  const Drawing drawing = draw(spec);
  std::string text;
  const auto add_box = [&](const Box& box, const std::string& indent) {
    text += indent + language.box(first_node(spec, box).name, label(spec, analysis, box, language.line_break)) + "\n";
  };
  std::set<std::string> drawn;
  for (size_t i = 0; i < drawing.boxes.size(); ++i) {
    const std::string& group = drawing.group_of[i];
    if (group.empty()) {
      add_box(drawing.boxes[i], language.indent);
    } else if (drawn.insert(group).second) {  // a group stands where its first box would
      text += language.indent + language.open(group) + "\n";
      for (size_t member : drawing.groups.at(group)) {
        add_box(drawing.boxes[member], language.indent + language.indent);
      }
      text += language.indent + language.close + "\n";
    }
  }
  for (const auto& [from, to] : drawing.edges) {
    text += language.indent +
            language.edge(first_node(spec, drawing.boxes[static_cast<size_t>(from)]).name,
                          first_node(spec, drawing.boxes[static_cast<size_t>(to)]).name) +
            "\n";
  }
  return text;
}

// The network's name where neither language could take it for its own text.
std::string title(const Spec& spec) {
  std::string text;
  for (char c : spec.name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                       c == '-' || c == '.' || c == ' ';
    text += plain ? c : '_';
  }
  return text;
}

}  // namespace

std::string describe(const Op& any) {
  return arch::visit(
      any,
      Overloaded{
          [](const Conv2d& op) {
            const int h = (op.kernel.h - 1) / 2, w = (op.kernel.w - 1) / 2;
            return "conv " + window_text(op.kernel, op.stride, op.pad, {h, h, w, w}) +
                   (op.groups > 1 ? " g" + std::to_string(op.groups) : "") + " -> " + std::to_string(op.out) +
                   clamp_text(op.clamp) + bits_text(op.weight_bits);
          },
          [](const BatchNorm&) { return std::string("batch norm"); },
          [](const Activation& op) { return std::string(to_string(op.kind)); },
          [](const Softmax& op) { return softmax_text(op.axis, op.rescale); },
          [](const SoftmaxMul& op) { return softmax_text(op.axis, op.rescale) + " * value" + clamp_text(op.clamp); },
          [](const AvgPool& op) {
            return "avg pool " + window_text(op.kernel, op.stride, op.pad, {}) +
                   (op.count_include_pad && !(op.pad == Pad{}) ? " zeros counted" : "");
          },
          [](const MaxPool& op) { return "max pool " + window_text(op.kernel, op.stride, op.pad, {}); },
          [](const GlobalAvgPool&) { return std::string("global avg pool"); },
          [](const Linear& op) {
            return "linear -> " + std::to_string(op.out) + clamp_text(op.clamp) + bits_text(op.weight_bits);
          },
          [](const Add& op) { return "add" + clamp_text(op.clamp); },
          [](const Mul&) { return std::string("mul"); },
          [](const PRelu&) { return std::string("prelu"); },
          [](const Scale&) { return std::string("scale"); },
          [](const BlurPool& op) { return "blur " + window_text(square(op.taps), op.stride, {}, {}); },
          [](const Upsample& op) {
            return "upsample -> " + std::to_string(op.size.h) + "x" + std::to_string(op.size.w);
          },
          [](const Concat&) { return std::string("concat"); },
          [](const Slice& op) {
            return "channels " + std::to_string(op.begin) + ".." + std::to_string(int64_t{op.begin} + op.count - 1);
          },
          [](const ChannelShuffle& op) { return "shuffle g" + std::to_string(op.groups); },
          [](const Input&) { return std::string("input"); },
      });
}

core::Table layer_table(const Spec& spec) {
  const Analysis analysis = analyze(spec);
  core::Table table;
  table.columns = {{"node", "node", false},
                   {"op", "operator", false},
                   {"inputs", "inputs", false},
                   {"output_shape", "output", true},
                   {"params", "parameters", true},
                   {"macs", "MACs", true},
                   {"constant_bytes", "int8 bytes", true}};
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const Node& node = spec.nodes[i];
    const NodeCost& cost = analysis.nodes[i];
    std::string inputs;
    for (int input : node.inputs) {
      inputs += (inputs.empty() ? "" : ", ") + spec.node(input).name;
    }
    table.rows.push_back({core::cell(node.name), core::cell(describe(node.op)), core::cell(inputs),
                          core::cell(to_string(cost.shape)), core::cell(cost.params), core::cell(cost.macs),
                          core::cell(cost.constant_bytes)});
  }
  return table;
}

// Identifiers carry a prefix: "end" and "graph" are words of the languages.
std::string to_mermaid(const Spec& spec) {
  const Language mermaid{
      "  ",
      "<br/>",
      [](const std::string& name, const std::string& label) { return "n_" + name + "[\"" + label + "\"]"; },
      [](const std::string& group) { return "subgraph g_" + group + " [\"" + group + "\"]"; },
      "end",
      [](const std::string& from, const std::string& to) { return "n_" + from + " --> n_" + to; }};
  return "flowchart TD\n  %% " + title(spec) + "\n" + draw_in(mermaid, spec);
}

std::string to_dot(const Spec& spec) {
  const Language dot{
      "  ",
      "\\n",
      [](const std::string& name, const std::string& label) { return "n_" + name + " [label=\"" + label + "\"];"; },
      [](const std::string& group) { return "subgraph cluster_" + group + " { label=\"" + group + "\";"; },
      "}",
      [](const std::string& from, const std::string& to) { return "n_" + from + " -> n_" + to + ";"; }};
  return "digraph \"" + title(spec) + "\" {\n  node [shape=box];\n" + draw_in(dot, spec) + "}\n";
}

}  // namespace condenser::arch
