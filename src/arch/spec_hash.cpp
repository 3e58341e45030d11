// The identity of a Spec. A node's colour is the hash of its operator, attributes and the colours of its inputs (a
// Merkle tree from the input up). That alone cannot tell one convolution read twice from two equal convolutions, so
// colours are refined once from the readers down and once more up (Weisfeiler-Lehman); the hash covers the multiset of
// the refined colours of all live nodes. Graphs that only a search could tell apart (rings of equal nodes) may still
// share a hash; no network looks like that.
//
// Stored studies, weights and exports name networks by these bytes: a new attribute may enter the text only when it
// differs from its default, and outputs only when there are several. A search tells thousands of networks a second
// apart by fingerprint.cpp instead.

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arch/spec_attributes.hpp"
#include "condenser/arch/spec.hpp"

namespace condenser::arch {
namespace {

using core::Hash128;

constexpr char kDigits[] = "0123456789abcdef";

// Key and value, as text. The words are those of the first version: stored hashes hold them.
class Text {
 public:
  explicit Text(std::string& text) : text_(text) {}

  template <class Value>
  void add(std::string_view key, const Value& value) {
    text_ += key;
    put(value);
  }
  template <class Value>
  void add_unless(std::string_view key, const Value& value, const Value& usual) {
    if (value != usual) add(key, value);
  }
  void add_flag(std::string_view key, bool set) {
    if (set) text_ += key;
  }

 private:
  void put(int value) { text_ += std::to_string(value); }
  void put(bool value) { text_ += value ? '1' : '0'; }
  void put(double value) {  // exact bits; minus zero is zero
    const auto bits = std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
    for (int shift = 60; shift >= 0; shift -= 4) text_ += kDigits[bits >> shift & 15];
  }
  void put(ActivationKind kind) { text_ += to_string(kind); }
  void put(Clamp clamp) { text_ += to_string(clamp); }
  void put(SoftmaxAxis axis) { text_ += to_string(axis); }
  void put(const Shape& shape) { text_ += to_string(shape); }
  void put(const Size& s) { put_pair(s.h, s.w); }
  void put(const Pad& p) {
    put_pair(p.top, p.bottom);
    text_ += ',';
    put_pair(p.left, p.right);
  }
  void put_pair(int first, int second) {
    put(first);
    text_ += ',';
    put(second);
  }

  std::string& text_;
};

void append_hex(std::string& text, const Hash128& hash) {
  char digits[32];
  for (size_t i = 0; i < 16; ++i) {
    digits[2 * i] = kDigits[hash.bytes[i] >> 4];
    digits[2 * i + 1] = kDigits[hash.bytes[i] & 15];
  }
  text.append(digits, sizeof digits);
}

// Hash of a label and a list of hashes, which is sorted first when its order does not matter.
Hash128 combine(std::string_view label, std::span<Hash128> parts, bool unordered, std::string& bytes) {
  if (unordered && parts.size() > 1) std::sort(parts.begin(), parts.end());
  bytes.assign(label).push_back('\n');
  for (const Hash128& part : parts) {
    append_hex(bytes, part);
    bytes.push_back('\n');
  }
  return core::hash128(bytes);
}

class Hasher {
 public:
  explicit Hasher(const Spec& spec) : spec_(spec), live_(live_nodes(spec)), size_(spec.nodes.size()) {}

  Hash128 run() {
    const std::vector<Hash128> up = sweep_up([&](size_t i) -> std::string_view {
      label_ = op_name(spec_.nodes[i].op);
      Text text(label_);
      list_attributes(spec_.nodes[i].op, spec_.input, text);
      text.add_flag(";twice", reads_one_node_twice(spec_.nodes[i].inputs));
      return label_;
    });
    const std::vector<Hash128> down = sweep_down(up);
    std::vector<Hash128> all = sweep_up([&](size_t i) { return hex(down[i]); });
    size_t kept = 0;
    for (size_t i = 0; i < size_; ++i) {
      if (live_[i]) all[kept++] = all[i];
    }
    std::string label = "condenser spec 1\n";
    for (size_t k = 0; k < spec_.output_count(); ++k) append_hex(label, up[static_cast<size_t>(spec_.output(k))]);
    return combine(label, std::span(all).first(kept), true, bytes_);
  }

 private:
  std::string_view hex(const Hash128& hash) {
    label_.clear();
    append_hex(label_, hash);
    return label_;
  }

  // One sweep from the input to the output: colour' = H(label, colours' of the inputs).
  template <class LabelOf>
  std::vector<Hash128> sweep_up(const LabelOf& label_of) {
    std::vector<Hash128> colour(size_);
    for (size_t i = 0; i < size_; ++i) {
      if (!live_[i]) continue;
      const Node& node = spec_.nodes[i];
      std::array<Hash128, kMaxInputs> inputs;
      for (size_t k = 0; k < node.inputs.size(); ++k) inputs[k] = colour[static_cast<size_t>(node.inputs[k])];
      colour[i] = combine(label_of(i), std::span(inputs).first(node.inputs.size()), commutative(node.op), bytes_);
    }
    return colour;
  }

  // One sweep from the outputs to the input: colour' = H(colour, {(colour' of a reader, place among its inputs)}).
  std::vector<Hash128> sweep_down(const std::vector<Hash128>& up) {
    std::vector<Hash128> colour(size_);
    std::vector<std::vector<Hash128>> readers(size_);
    for (size_t k = 0; spec_.output_count() > 1 && k < spec_.output_count(); ++k)  // the world reads these, in order
      readers[static_cast<size_t>(spec_.output(k))].push_back(core::hash128("output " + std::to_string(k)));
    for (size_t i = size_; i-- > 0;) {
      if (!live_[i]) continue;
      const Node& node = spec_.nodes[i];
      colour[i] = combine(hex(up[i]), readers[i], true, bytes_);
      const bool any_order = commutative(node.op);
      for (size_t k = 0; k < node.inputs.size(); ++k) {
        const std::string place = any_order ? "any" : std::to_string(k);
        readers[static_cast<size_t>(node.inputs[k])].push_back(combine(place, std::span(&colour[i], 1), false, bytes_));
      }
    }
    return colour;
  }

  const Spec& spec_;
  const Liveness live_;
  const size_t size_;
  std::string label_, bytes_;  // room for texts
};

}  // namespace

core::Hash128 hash(const Spec& spec) {
  validate(spec);
  return Hasher(spec).run();
}

}  // namespace condenser::arch
