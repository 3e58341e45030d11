// Appends nodes to a Spec with checked names and inferred shapes. Which nodes make a block is in blocks.cpp.

#include "condenser/arch/builder.hpp"

#include "arch/name_set.hpp"
#include "arch/node_check.hpp"
#include "condenser/arch/analysis.hpp"

namespace condenser::arch {

constexpr size_t kUsualNodes = 128;  // room for a usual network without moving its nodes

Builder::Builder(std::string name, Shape input)
    : spec_{std::move(name), input, {}}, names_(std::make_unique<NameSet>(kUsualNodes)) {
  check_input_shape(input);
  spec_.nodes.reserve(kUsualNodes);
  costs_.nodes.reserve(kUsualNodes);
  add("input", Input{}, {});
}

Builder::~Builder() = default;

Builder::Scope::Scope(Builder& builder, std::string_view part) : builder_(builder), length_(builder.scope_.size()) {
  builder_.scope_.append(part).push_back('_');
}

Builder::Scope::~Scope() { builder_.scope_.resize(length_); }

int Builder::add(std::string_view name, const Op& op, const Inputs& inputs) {
  const int index = static_cast<int>(spec_.nodes.size());
  Node& node = spec_.nodes.emplace_back();
  node.name.append(scope_).append(name);
  node.op = op;
  node.inputs = inputs;
  try {
    check_last();
  } catch (...) {
    spec_.nodes.pop_back();
    throw;
  }
  return index;
}

void Builder::check_last() {
  const Node& node = spec_.nodes.back();
  const auto index = static_cast<uint32_t>(spec_.nodes.size() - 1);
  if (index >= kMaxNodes) throw SpecError(node.name, "more than " + std::to_string(kMaxNodes) + " nodes");
  check_node(node, static_cast<int>(index));
  const NodeCost cost = index == 0 ? NodeCost{.shape = spec_.input} : checked_node_cost(node, costs_.nodes);
  const auto name_of = [&](uint32_t i) -> const std::string& { return spec_.nodes[i].name; };
  if (!names_->insert(node.name, index, name_of))
    throw SpecError(node.name, "two nodes of this name; names must differ");
  costs_.add(node.name, cost);
}

Shape Builder::shape(int id) const {
  if (id < 0 || id > last())
    throw SpecError("", "no node " + std::to_string(id) + "; the last is " + std::to_string(last()));
  return costs_.node(id).shape;
}

// Every node was checked when it came.
Spec Builder::finish(Analysis* costs) {
  if (spec_.nodes.size() < 2) validate(spec_);
  if (costs != nullptr) *costs = std::move(costs_);
  return std::move(spec_);
}

}  // namespace condenser::arch
