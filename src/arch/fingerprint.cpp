// The fingerprint of a Spec: what spec_hash.cpp computes, over words instead of texts and with core::Mixer instead of
// SHA-256, some fifteen times faster. Colours go up, down and up again as there; lists whose order does not matter are
// summed instead of sorted.

#include <bit>
#include <initializer_list>
#include <vector>

#include "arch/spec_attributes.hpp"
#include "condenser/arch/spec.hpp"

namespace condenser::arch {
namespace {

using core::Fingerprint;
using core::Mixer;

// Attributes of a valid Spec fit into 21 bits, so that three make a word.
constexpr int kBits = 21;
static_assert(kMaxChannels < 1 << kBits && kMaxExtent < 1 << kBits && kMaxWindow < 1 << kBits);

// Every attribute, always: that an operator has its usual value is no reason to leave it out here. How many numbers
// come is known from the operator, so that words begin and end in the same places.
class Words {
 public:
  explicit Words(Mixer& mixer) : mixer_(mixer) {}
  void add(const char*, int value) { put(static_cast<uint64_t>(value)); }
  void add(const char*, bool value) { put(value); }
  void add(const char*, ActivationKind kind) { put(static_cast<uint64_t>(kind)); }
  void add(const char*, double value) { mixer_.add(std::bit_cast<uint64_t>(value == 0 ? 0.0 : value)); }
  void add(const char*, const Size& s) { put_all({s.h, s.w}); }
  void add(const char*, const Pad& p) { put_all({p.top, p.bottom, p.left, p.right}); }
  void add(const char*, const Shape& s) { put_all({s.c, s.h, s.w}); }
  template <class Enum>
  void add_unless(const char*, Enum value, Enum) {
    put(static_cast<uint64_t>(value));
  }
  void add_flag(const char*, bool set) { put(set); }
  void flush() {
    if (used_ > 0) mixer_.add(word_);
  }

 private:
  void put_all(std::initializer_list<int64_t> values) {
    for (int64_t value : values) put(static_cast<uint64_t>(value));
  }
  void put(uint64_t value) {
    word_ |= value << used_;
    used_ += kBits;
    if (used_ < 3 * kBits) return;
    mixer_.add(word_);
    word_ = 0;
    used_ = 0;
  }

  Mixer& mixer_;
  uint64_t word_ = 0;
  int used_ = 0;  // bits of word_
};

void operator+=(Fingerprint& sum, const Fingerprint& part) {
  sum.a += part.a;
  sum.b += part.b;
}

Fingerprint operator+(Fingerprint sum, const Fingerprint& part) {
  sum += part;
  return sum;
}

// The colours of a node's inputs, in their order where it matters.
inline void add_inputs(const Node& node, const std::vector<Fingerprint>& colour, Mixer& mixer) {
  const auto at = [&](size_t k) -> const Fingerprint& { return colour[static_cast<size_t>(node.inputs[k])]; };
  if (commutative(node.op)) {
    mixer.add(at(0) + at(1));
    return;
  }
  for (size_t k = 0; k < node.inputs.size(); ++k) mixer.add(at(k));
}

inline Fingerprint own_colour(const Spec& spec, const Node& node, const std::vector<Fingerprint>& colour) {
  Mixer mixer;
  mixer.add(node.op.index() | node.inputs.size() << 8 | uint64_t{reads_one_node_twice(node.inputs)} << 16);
  Words words(mixer);
  list_attributes(node.op, spec.input, words);
  words.flush();
  add_inputs(node, colour, mixer);
  return mixer.now();
}

constexpr uint64_t kReadByTheWorld = 0x6f7574707574;  // "output"

}  // namespace

Fingerprint fingerprint(const Spec& spec) {
  const size_t size = spec.nodes.size();
  const Liveness live = live_nodes(spec);
  std::vector<Fingerprint> up(size), all(size);
  std::vector<Fingerprint> down(size);  // first the sum of what the readers tell, then the colour
  for (size_t i = 0; i < size; ++i)
    if (live[i]) up[i] = own_colour(spec, spec.nodes[i], up);

  for (size_t k = 0; spec.output_count() > 1 && k < spec.output_count(); ++k)  // the world reads these, in order
    down[static_cast<size_t>(spec.output(k))] += Mixer().add(kReadByTheWorld + k).now();
  for (size_t i = size; i-- > 0;) {
    if (!live[i]) continue;
    const Node& node = spec.nodes[i];
    down[i] = Mixer().add(up[i]).add(down[i]).now();
    const bool any_order = commutative(node.op);
    for (size_t k = 0; k < node.inputs.size(); ++k) {  // what a node tells its input: who reads it, in which place
      const uint64_t place = any_order ? 0 : k + 1;
      down[static_cast<size_t>(node.inputs[k])] += Mixer().add(down[i] + Fingerprint{place, place}).now();
    }
  }

  Fingerprint sum;
  for (size_t i = 0; i < size; ++i) {
    if (!live[i]) continue;
    Mixer mixer;
    mixer.add(down[i]);
    add_inputs(spec.nodes[i], all, mixer);
    all[i] = mixer.now();
    sum += all[i];
  }
  Mixer whole;
  for (size_t k = 0; k < spec.output_count(); ++k) whole.add(up[static_cast<size_t>(spec.output(k))]);
  return whole.add(sum).finish();
}

}  // namespace condenser::arch
