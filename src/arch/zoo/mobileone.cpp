// MobileOne (arXiv 2206.04040): depthwise and pointwise units in four stages of stride 2. Training form: every unit is
// a sum of branches; inference form: one convolution with bias per unit. Widths and branch counts from the published
// code (github.com/apple/ml-mobileone).

#include "arch/zoo/peer_net.hpp"
#include "arch/zoo/zoo.hpp"

namespace condenser::arch::reference {
namespace {

constexpr int kStages = 4;
constexpr int kDepths[kStages] = {2, 8, 10, 1};

struct Variant {
  int stem;
  int widths[kStages];
  int branches;  // convolution branches of every unit of the training form, the stem's too
};
constexpr Variant kS0{48, {48, 128, 256, 1024}, 4};
constexpr Variant kS1{64, {96, 192, 512, 1280}, 1};

enum class Form { Inference, Training };

int unit(Builder& b, int x, const std::string& name, const MobileOneUnit& o, const Variant& v, Form form) {
  return form == Form::Inference ? mobileone_unit(b, x, name, o) : mobileone_train_unit(b, x, name, o, v.branches);
}

int block(Builder& b, int x, const std::string& name, int out, int stride, const Variant& v, Form form) {
  const Builder::Scope scope(b, name);
  const int in = static_cast<int>(b.shape(x).c);
  x = unit(b, x, "dw", {in, 3, stride, in}, v, form);
  return unit(b, x, "pw", {out, 1, 1, 1}, v, form);
}

Spec mobileone(const std::string& name, const Variant& v, Form form, Shape input, int classes) {
  Builder b(name, input);
  int x = unit(b, b.input(), "stem", {v.stem, 3, 2, 1}, v, form);
  for (int s = 0; s < kStages; ++s)
    for (int i = 1; i <= kDepths[s]; ++i) x = block(b, x, unit_name(s + 1, i), v.widths[s], i == 1 ? 2 : 1, v, form);
  classifier_head(b, x, classes);
  return b.finish();
}

}  // namespace

Spec mobileone_s0(Shape input, int classes) { return mobileone("mobileone_s0", kS0, Form::Inference, input, classes); }
Spec mobileone_s1(Shape input, int classes) { return mobileone("mobileone_s1", kS1, Form::Inference, input, classes); }
Spec mobileone_s0_train(Shape input, int classes) {
  return mobileone("mobileone_s0_train", kS0, Form::Training, input, classes);
}
Spec mobileone_s1_train(Shape input, int classes) {
  return mobileone("mobileone_s1_train", kS1, Form::Training, input, classes);
}

}  // namespace condenser::arch::reference
