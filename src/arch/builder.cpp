// Appends nodes to a Spec with checked names and inferred shapes. Which nodes make a block is in blocks.cpp.

#include "condenser/arch/builder.hpp"

#include "arch/node_check.hpp"
#include "condenser/arch/analysis.hpp"

namespace condenser::arch {

Builder::Builder(std::string name, Shape input) : spec_{std::move(name), input, {}} {
  check_input_shape(input);
  add("input", Input{}, {});
}

Builder::Scope::Scope(Builder& builder, const std::string& part) : builder_(builder), length_(builder.scope_.size()) {
  builder_.scope_ += part + "_";
}

Builder::Scope::~Scope() { builder_.scope_.resize(length_); }

int Builder::add(const std::string& name, Op op, Inputs inputs) {
  Node node{scope_ + name, std::move(op), inputs};
  const int index = static_cast<int>(spec_.nodes.size());
  if (index >= kMaxNodes) throw SpecError(node.name, "more than " + std::to_string(kMaxNodes) + " nodes");
  check_node(node, index);
  Shape out = spec_.input;
  if (index > 0) {
    std::vector<Shape> shapes;
    for (int input : node.inputs) shapes.push_back(shapes_[static_cast<size_t>(input)]);
    out = infer_shape(node.name, node.op, shapes);
  }
  if (!names_.insert(node.name).second) throw SpecError(node.name, "two nodes of this name; names must differ");
  spec_.nodes.push_back(std::move(node));
  shapes_.push_back(out);
  return index;
}

Shape Builder::shape(int id) const {
  if (id < 0 || id > last())
    throw SpecError("", "no node " + std::to_string(id) + "; the last is " + std::to_string(last()));
  return shapes_[static_cast<size_t>(id)];
}

Spec Builder::finish() {
  validate(spec_);
  return spec_;
}

}  // namespace condenser::arch
