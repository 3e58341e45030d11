#pragma once
// What of an operator enters the identity of a network and its fingerprint: one list, so that an attribute cannot be
// forgotten in one of the two.

#include "condenser/arch/ops.hpp"
#include "condenser/arch/spec.hpp"

namespace condenser::arch {

template <class Window, class Sink>
void list_window(const Window& w, Sink& sink) {
  sink.add(";kernel=", w.kernel);
  sink.add(";stride=", w.stride);
  sink.add(";pad=", w.pad);
}

template <class Sink>
void list_softmax(SoftmaxAxis axis, bool rescale, Sink& sink) {
  sink.add_unless(";axis=", axis, SoftmaxAxis::Channels);
  sink.add_flag(";rescale", rescale);
}

// sink.add(key, value) for every attribute, in a fixed order; add_unless(key, value, usual) and add_flag(key, set)
// where stored hashes ask for an attribute to be left out while it has its usual value. `input` is the network's.
template <class Sink>
void list_attributes(const Op& op, const Shape& input, Sink& sink) {
  arch::visit(op, Overloaded{
                      [&](const Input&) { sink.add(";shape=", input); },
                      [&](const Conv2d& c) {
                        sink.add(";out=", c.out);
                        list_window(c, sink);
                        sink.add(";groups=", c.groups);
                        sink.add(";bias=", c.bias);
                        sink.add_unless(";clamp=", c.clamp, Clamp::None);
                        sink.add_unless(";weight_bits=", c.weight_bits, 8);
                      },
                      [&](const BatchNorm& b) {
                        sink.add(";eps=", b.eps);
                        sink.add(";momentum=", b.momentum);
                      },
                      [&](const Activation& a) { sink.add(";kind=", a.kind); },
                      [&](const Softmax& s) { list_softmax(s.axis, s.rescale, sink); },
                      [&](const SoftmaxMul& s) {
                        list_softmax(s.axis, s.rescale, sink);
                        sink.add_unless(";clamp=", s.clamp, Clamp::None);
                      },
                      [&](const AvgPool& p) {
                        list_window(p, sink);
                        sink.add(";count_include_pad=", p.count_include_pad);
                      },
                      [&](const MaxPool& p) { list_window(p, sink); },
                      [](const GlobalAvgPool&) {},
                      [&](const Linear& f) {
                        sink.add(";out=", f.out);
                        sink.add(";bias=", f.bias);
                        sink.add_unless(";clamp=", f.clamp, Clamp::None);
                        sink.add_unless(";weight_bits=", f.weight_bits, 8);
                      },
                      [&](const Add& a) { sink.add_unless(";clamp=", a.clamp, Clamp::None); },
                      [](const Mul&) {},
                      [](const PRelu&) {},
                      [](const Scale&) {},
                      [&](const BlurPool& p) {
                        sink.add(";taps=", p.taps);
                        sink.add(";stride=", p.stride);
                      },
                      [&](const Upsample& u) { sink.add(";size=", u.size); },
                      [](const Concat&) {},
                      [&](const Slice& s) {
                        sink.add(";begin=", s.begin);
                        sink.add(";count=", s.count);
                      },
                      [&](const ChannelShuffle& s) { sink.add(";groups=", s.groups); },
                  });
}

// Colours alone cannot tell p(a, a), q(b, b) from p(a, b), q(a, b) when a and b look alike.
inline bool reads_one_node_twice(const Inputs& inputs) {
  for (size_t k = 1; k < inputs.size(); ++k) {
    for (size_t j = 0; j < k; ++j)
      if (inputs[j] == inputs[k]) return true;
  }
  return false;
}

}  // namespace condenser::arch
