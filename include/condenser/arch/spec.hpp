#pragma once
// A network as plain data: an ordered list of named primitive operators with input indices. No weights, no LibTorch.

#include <array>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "condenser/arch/ops.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/fingerprint.hpp"
#include "condenser/core/hash.hpp"

namespace condenser::arch {

inline constexpr int kMaxInputs = 8;

// Indices of the nodes that a node reads. Stored in the node itself: a search makes tens of thousands of Specs a
// second.
class Inputs {
 public:
  Inputs() = default;
  Inputs(std::initializer_list<int> ids) : Inputs(std::span<const int>(ids.begin(), ids.size())) {}
  explicit Inputs(std::span<const int> ids) {
    for (int id : ids) push_back(id);
  }
  void push_back(int id) {  // throws SpecError beyond kMaxInputs
    if (count_ == ids_.size()) too_many();
    ids_[count_++] = id;
  }
  size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  int& operator[](size_t k) { return ids_[k]; }
  int operator[](size_t k) const { return ids_[k]; }
  int* begin() { return ids_.data(); }
  int* end() { return ids_.data() + count_; }
  const int* begin() const { return ids_.data(); }
  const int* end() const { return ids_.data() + count_; }
  bool operator==(const Inputs&) const = default;  // unused places are 0

 private:
  [[noreturn]] static void too_many();

  std::array<int, kMaxInputs> ids_{};
  size_t count_ = 0;
};

struct Node {
  std::string name;  // [a-z][a-z0-9_]*, unique; names parameters, C symbols and files
  Op op;
  Inputs inputs;  // earlier nodes
  bool operator==(const Node&) const = default;
};

// Topological order; nodes[0] is the only Input. The values of the outputs are the result; an output may be read too.
struct Spec {
  std::string name;
  Shape input;
  std::vector<Node> nodes;
  std::vector<int> outputs = {};  // ids, in the order of the results; empty: the last node alone
  Node& node(int id) { return nodes[static_cast<size_t>(id)]; }  // `id` as in Inputs
  const Node& node(int id) const { return nodes[static_cast<size_t>(id)]; }
  size_t output_count() const { return outputs.empty() ? 1 : outputs.size(); }
  int output(size_t k = 0) const { return outputs.empty() ? static_cast<int>(nodes.size()) - 1 : outputs[k]; }
  bool is_output(int id) const {
    for (size_t k = 0; k < output_count(); ++k)
      if (output(k) == id) return true;
    return false;
  }
  bool names_outputs() const { return output_count() > 1 || output() + 1 != static_cast<int>(nodes.size()); }
  bool operator==(const Spec&) const = default;
};

// "node s2_add: shapes 24x14x14 and 32x14x14 differ; ...". Exit code Usage: a Spec comes from a file or a space.
class SpecError : public core::Error {
 public:
  SpecError(std::string node, const std::string& message);
  const std::string& node() const { return node_; }

 private:
  std::string node_;
};

// Limits that keep foreign files from overflowing 64-bit counts: with them one node costs at most 2^56
// multiply-accumulates, and analyze() checks the sums.
inline constexpr int kMaxNodes = 10'000;
inline constexpr int kMaxChannels = 65'536;
inline constexpr int kMaxExtent = 65'536;                  // of height and width
inline constexpr int kMaxWindow = 255;                     // kernel, stride and padding
inline constexpr int64_t kMaxElements = int64_t{1} << 28;  // of one activation of one sample, and of one weight
inline constexpr int kMaxNameLength = 128;

// Structure only: names, order, input counts, ranges of attributes. Shapes are checked by analyze(). Throws SpecError.
void validate(const Spec&);

// The one output, for purposes that several have no meaning for. Throws SpecError: "network 'x' has 2 outputs (a, b);
// <purpose> takes one ...".
int sole_output(const Spec&, const std::string& purpose);

// Stores them in the one form that equal Specs share: none for the last node alone.
void set_outputs(Spec&, std::vector<int> ids);

// live_nodes(spec)[i]: some output depends on node i. The Input node is always live.
using Liveness = std::vector<char>;  // bytes: read far too often for bits
Liveness live_nodes(const Spec&);

// consumers(spec)[i] = indices of the nodes that read node i.
std::vector<std::vector<int>> consumers(const Spec&);

// Index of a node by name; throws SpecError with the nearest name.
int find_node(const Spec&, const std::string& name);

// The identity of a network: ignores names, order and dead nodes, and the order of inputs of commutative operators;
// includes the input shape and, of several outputs, their order. Stable across versions and machines: files, weights
// and exports name networks by it. Validates; throws SpecError.
core::Hash128 hash(const Spec&);

// Equal where hash() is equal, and some fifteen times faster: how a search knows copies. For tables in memory only, as
// its values change with versions. The Spec must be valid.
core::Fingerprint fingerprint(const Spec&);

}  // namespace condenser::arch
