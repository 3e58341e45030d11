#include "condenser/arch/int4.hpp"

#include <algorithm>

#include "arch/node_words.hpp"

namespace condenser::arch {
namespace {

std::vector<size_t> layers_of(const Spec& spec) {
  std::vector<size_t> layers;
  for (size_t i = 0; i < spec.nodes.size(); ++i)
    if (has_weight_bits(spec.nodes[i].op)) layers.push_back(i);
  return layers;
}

// Those of the layers that a word means, without its minus.
std::vector<size_t> meant(const Spec& spec, const std::vector<size_t>& layers, std::string_view word) {
  if (word == "all") return layers;
  if (word == "inner")
    return layers.size() < 3 ? std::vector<size_t>{} : std::vector(layers.begin() + 1, layers.end() - 1);
  std::vector<size_t> found;
  for (const size_t i : layers)
    if (name_fits(word, spec.nodes[i].name)) found.push_back(i);
  return found;
}

void set_bits(Op& op, int bits) {
  if (auto* conv = std::get_if<Conv2d>(&op)) conv->weight_bits = bits;
  if (auto* linear = std::get_if<Linear>(&op)) linear->weight_bits = bits;
}

}  // namespace

bool has_weight_bits(const Op& op) { return std::holds_alternative<Conv2d>(op) || std::holds_alternative<Linear>(op); }

void choose_int4(Design& design, const Int4Words& words) {
  if (words.empty()) return;
  const std::vector<size_t> layers = layers_of(design.lowered);
  for (const std::string& word : words)
    for (const size_t i : meant(design.lowered, layers, without_minus(word)))
      set_bits(design.lowered.nodes[i].op, takes_out(word) ? 8 : 4);
  design.lowered_cost = analyze(design.lowered);
}

void write_int4(Design& design, const Int4Words& words) {
  choose_int4(design, words);
  for (Node& node : design.spec.nodes) {
    if (!has_weight_bits(node.op)) continue;
    const auto lowered = std::ranges::find(design.lowered.nodes, node.name, &Node::name);
    if (lowered != design.lowered.nodes.end()) set_bits(node.op, weight_bits(lowered->op));
  }
}

std::string idle_word(const Spec& lowered, const Int4Words& words) {
  const std::vector<size_t> layers = layers_of(lowered);
  const auto idle = std::ranges::find_if(
      words, [&](const std::string& w) { return meant(lowered, layers, without_minus(w)).empty(); });
  return idle == words.end() ? "" : *idle;
}

}  // namespace condenser::arch
