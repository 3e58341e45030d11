#pragma once
// Writes Specs: appends nodes, joins scope names with '_', returns node ids. Infers shapes as it goes, so that blocks
// can ask.

#include <memory>
#include <string>
#include <string_view>

#include "condenser/arch/analysis.hpp"

namespace condenser::arch {

class NameSet;

class Builder {
 public:
  Builder(std::string name, Shape input);  // appends the Input node "input", id 0
  ~Builder();

  // Pushes a name part for its lifetime: { Scope s(b, "s1b1"); b.add("c1", ...) } makes node "s1b1_c1".
  class Scope {
   public:
    Scope(Builder& builder, std::string_view part);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Builder& builder_;
    size_t length_;
  };

  int add(std::string_view name, const Op& op, const Inputs& inputs);  // throws SpecError on bad shapes or names
  Shape shape(int id) const;
  int last() const { return static_cast<int>(spec_.nodes.size()) - 1; }
  int input() const { return 0; }

  // The last node added is the output; set_outputs() names others. Call once, at the end. `costs` receives what
  // analyze() would compute again.
  Spec finish(Analysis* costs = nullptr);

 private:
  void check_last();  // checks the node just appended and takes note of it

  Spec spec_;
  Analysis costs_;
  std::unique_ptr<NameSet> names_;
  std::string scope_;
};

}  // namespace condenser::arch
