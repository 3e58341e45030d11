#include "condenser/search/graph.hpp"

#include <algorithm>

namespace condenser::search {
namespace {

std::string window_text(const arch::Size& kernel, const arch::Size& stride) {
  std::string text = " " + std::to_string(kernel.h) + "x" + std::to_string(kernel.w);
  if (stride.h > 1 || stride.w > 1) text += "/" + std::to_string(std::max(stride.h, stride.w));
  return text;
}

std::string clamp_text(arch::Clamp clamp) {
  return clamp == arch::Clamp::None ? "" : std::string(" ") + arch::to_string(clamp);
}

bool wide(const arch::Size& s) { return s.h > 1 || s.w > 1; }

Graph::Node node_of(const arch::Op& op) {
  Graph::Node node{.op = arch::op_name(op), .inputs = {}};
  if (const auto* conv = std::get_if<arch::Conv2d>(&op)) {
    node.op += window_text(conv->kernel, conv->stride) + (conv->groups > 1 ? " g" : "") + clamp_text(conv->clamp);
    node.parametric = true;
    node.spatial = wide(conv->kernel);
  } else if (const auto* average = std::get_if<arch::AvgPool>(&op)) {
    node.op += window_text(average->kernel, average->stride);
    node.spatial = wide(average->kernel);
  } else if (const auto* largest = std::get_if<arch::MaxPool>(&op)) {
    node.op += window_text(largest->kernel, largest->stride);
    node.spatial = wide(largest->kernel);
  } else if (const auto* activation = std::get_if<arch::Activation>(&op)) {
    node.op = arch::to_string(activation->kind);
  } else if (std::holds_alternative<arch::BlurPool>(op)) {
    node.spatial = true;
  } else {
    node.parametric = std::holds_alternative<arch::Linear>(op) || std::holds_alternative<arch::PRelu>(op);
  }
  return node;
}

void append(std::vector<int>& to, const std::vector<int>& from) { to.insert(to.end(), from.begin(), from.end()); }

}  // namespace

Graph live(Graph whole) {
  std::vector<char> read(whole.nodes.size(), 0);
  read.front() = read.back() = 1;
  for (size_t i = whole.nodes.size(); i-- > 0;) {
    if (!read[i]) continue;
    for (const int input : whole.nodes[i].inputs) read[static_cast<size_t>(input)] = 1;
  }
  std::vector<int> place(whole.nodes.size(), -1);
  Graph graph;
  graph.nodes.reserve(whole.nodes.size());
  for (size_t i = 0; i < whole.nodes.size(); ++i) {
    if (!read[i]) continue;
    place[i] = static_cast<int>(graph.nodes.size());
    graph.nodes.push_back(std::move(whole.nodes[i]));
    for (int& input : graph.nodes.back().inputs) input = place[static_cast<size_t>(input)];
  }
  return graph;
}

Graph graph_of(const arch::Spec& lowered) {
  Graph graph;
  graph.nodes.reserve(lowered.nodes.size() + 1);
  std::vector<std::vector<int>> terms;  // of each node of the network: what a reader of it reads
  for (const arch::Node& node : lowered.nodes) {
    std::vector<int> inputs;
    for (const int input : node.inputs) append(inputs, terms[static_cast<size_t>(input)]);
    const auto* sum = std::get_if<arch::Add>(&node.op);
    if (sum != nullptr && sum->clamp == arch::Clamp::None) {
      terms.push_back(std::move(inputs));
      continue;
    }
    terms.push_back({static_cast<int>(graph.nodes.size())});
    graph.nodes.push_back(node_of(node.op));
    graph.nodes.back().inputs = std::move(inputs);
  }
  graph.nodes.push_back({.op = "output", .inputs = terms.empty() ? std::vector<int>{} : terms.back()});
  return live(std::move(graph));
}

}  // namespace condenser::search
