// The identity of a Spec. A node's colour is the hash of its operator, attributes and the colours of its inputs (a
// Merkle tree from the input up). That alone cannot tell one convolution read twice from two equal convolutions, so
// colours are refined once from the readers down and once more up (Weisfeiler-Lehman); the hash covers the multiset of
// the refined colours of all live nodes. Graphs that only a search could tell apart (rings of equal nodes) may still
// share a hash; no network looks like that.
//
// Stored studies depend on these bytes: a new attribute may enter the text only when it differs from its default.

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "condenser/arch/spec.hpp"

namespace condenser::arch {
namespace {

using core::Hash128;

// Appended to one text: a search hashes every candidate.
class Label {
 public:
  explicit Label(std::string& text) : text_(text) { text_.clear(); }

  Label& operator<<(std::string_view part) {
    text_ += part;
    return *this;
  }
  Label& operator<<(int64_t value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return *this << std::string_view(digits, static_cast<size_t>(end - digits));
  }
  Label& operator<<(int value) { return *this << int64_t{value}; }
  Label& operator<<(bool value) { return *this << int64_t{value}; }
  Label& operator<<(double value) {  // exact bits; minus zero is zero
    char digits[16];
    const auto bits = std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
    for (int i = 0; i < 16; ++i) digits[i] = "0123456789abcdef"[bits >> (60 - 4 * i) & 15];
    return *this << std::string_view(digits, 16);
  }
  Label& operator<<(const Size& s) { return *this << s.h << "," << s.w; }
  Label& operator<<(const Pad& p) { return *this << p.top << "," << p.bottom << "," << p.left << "," << p.right; }
  Label& operator<<(Clamp clamp) {
    return clamp == Clamp::None ? *this : *this << ";clamp=" << std::string_view(to_string(clamp));
  }
  template <class Window>
  Label& window(const Window& w) {
    return *this << ";kernel=" << w.kernel << ";stride=" << w.stride << ";pad=" << w.pad;
  }
  Label& softmax(SoftmaxAxis axis, bool rescale) {
    if (axis != SoftmaxAxis::Channels) *this << ";axis=" << std::string_view(to_string(axis));
    return rescale ? *this << ";rescale" : *this;
  }

  // A pointer would be a bool.
  template <size_t kSize>
  Label& operator<<(const char (&part)[kSize]) {
    return *this << std::string_view(part, kSize - 1);
  }

 private:
  std::string& text_;
};

void write_attributes(const Op& op, const Shape& input, std::string& text) {
  Label l(text);
  l << std::string_view(op_name(op));
  visit_op(Overloaded{
               [&](const Input&) { l << ";shape=" << std::string_view(to_string(input)); },
               [&](const Conv2d& c) {
                 l << ";out=" << c.out;
                 l.window(c) << ";groups=" << c.groups << ";bias=" << c.bias << c.clamp;
               },
               [&](const BatchNorm& b) { l << ";eps=" << b.eps << ";momentum=" << b.momentum; },
               [&](const Activation& a) { l << ";kind=" << std::string_view(to_string(a.kind)); },
               [&](const Softmax& s) { l.softmax(s.axis, s.rescale); },
               [&](const SoftmaxMul& s) { l.softmax(s.axis, s.rescale); },
               [&](const AvgPool& p) { l.window(p) << ";count_include_pad=" << p.count_include_pad; },
               [&](const MaxPool& p) { l.window(p); },
               [&](const GlobalAvgPool&) {},
               [&](const Linear& f) { l << ";out=" << f.out << ";bias=" << f.bias << f.clamp; },
               [&](const Add& a) { l << a.clamp; },
               [&](const Mul&) {},
               [&](const PRelu&) {},
               [&](const Scale&) {},
               [&](const BlurPool& p) { l << ";taps=" << p.taps << ";stride=" << p.stride; },
               [&](const Upsample& u) { l << ";size=" << u.size; },
               [&](const Concat&) {},
               [&](const Slice& s) { l << ";begin=" << s.begin << ";count=" << s.count; },
               [&](const ChannelShuffle& s) { l << ";groups=" << s.groups; },
           },
           op);
}

// Colours alone cannot tell p(a, a), q(b, b) from p(a, b), q(a, b) when a and b look alike.
bool reads_one_node_twice(const Node& node) {
  for (size_t k = 1; k < node.inputs.size(); ++k)
    if (std::find(node.inputs.begin(), node.inputs.begin() + k, node.inputs[k]) != node.inputs.begin() + k) return true;
  return false;
}

void append_hex(std::string& text, const Hash128& hash) {
  char digits[32];
  for (size_t i = 0; i < 16; ++i) {
    digits[2 * i] = "0123456789abcdef"[hash.bytes[i] >> 4];
    digits[2 * i + 1] = "0123456789abcdef"[hash.bytes[i] & 15];
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
      write_attributes(spec_.nodes[i].op, spec_.input, label_);
      if (reads_one_node_twice(spec_.nodes[i])) label_ += ";twice";
      return label_;
    });
    const std::vector<Hash128> down = sweep_down(up);
    std::vector<Hash128> all = sweep_up([&](size_t i) { return hex(down[i]); });
    size_t kept = 0;
    for (size_t i = 0; i < size_; ++i) {
      if (live_[i]) all[kept++] = all[i];
    }
    std::string label = "condenser spec 1\n";
    append_hex(label, up.back());
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

  // One sweep from the output to the input: colour' = H(colour, {(colour' of a reader, place among its inputs)}).
  std::vector<Hash128> sweep_down(const std::vector<Hash128>& up) {
    std::vector<Hash128> colour(size_);
    std::vector<std::vector<Hash128>> readers(size_);
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
