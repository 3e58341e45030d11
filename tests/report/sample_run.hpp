#pragma once
// A run with every stage behind it, small and made by hand.

#include "condenser/arch/blocks.hpp"
#include "condenser/report/material.hpp"

namespace condenser::tests {

inline arch::Spec sample_net(int classes) {
  arch::Builder b("small", {1, 8, 8});
  const int stem = arch::conv_bn_act(b, b.input(), "stem", {.out = 8});
  const int wide = arch::conv_bn_act(b, stem, "wide", {.out = 16});
  const int pooled = b.add("gap", arch::GlobalAvgPool{}, {wide});
  b.add("fc", arch::Linear{.out = classes}, {pooled});
  return b.finish();
}

// What every run has: a winner, no stage behind it.
inline report::Material bare_run(int classes = 2) {
  report::Material m;
  m.name = "first";
  m.dataset = "digits";
  m.dataset_about = "small pictures";
  m.design = arch::design_of(sample_net(classes));
  m.hash = arch::hash(m.design.spec).hex();
  m.lowered_hash = arch::hash(m.design.lowered).hex();
  m.verdicts = {{"no_strided_pointwise", true, "", "no violation", "no violation"},
                {"max_macs", true, "", "7 MACs", "at most 8 MACs"}};
  return m;
}

inline search::Trial sample_trial(int64_t index, double accuracy, double macs) {
  search::Trial t;
  t.index = index;
  t.findings.metrics = {{"val_accuracy", accuracy}, {"macs", macs}, {"params", 300 + static_cast<double>(index)}};
  t.hash = {static_cast<uint8_t>(index + 1), 7};
  return t;
}

inline report::Material whole_run() {
  report::Material m = bare_run();
  search::Trial refused = sample_trial(0, 0, 9000);
  refused.state = search::TrialState::Refused;
  refused.verdicts = {{"max_macs", false, "conv3", "9,000", "at most 8,000"}};
  search::Trial same = sample_trial(3, 97.5, 4000);
  same.same_as = 1;
  m.searched =
      report::Searched{{refused, sample_trial(1, 97.5, 4000), sample_trial(2, 95, 400), same}, "val_accuracy", nullptr};
  m.trained =
      report::Trained{"step,train/loss,val/loss,val/acc1,lr\n1,1.25,0.9,90.5,0.1\n2,0.5,,99.875,7.018383712e-09\n",
                      false,
                      8000,
                      128,
                      16,
                      {975, 1000}};
  m.evaluated = report::Evaluated{.part = "test part",
                                  .test = true,
                                  .accuracy = {970, 1000},
                                  .confusion = {{"a|b", "c"}, {{480, 20}, {10, 490}}},
                                  .folder = "eval"};
  m.quantized = report::Quantized{.rounding = "double",
                                  .observer = "mse",
                                  .calibration_samples = 512,
                                  .as_float = {970, 1000},
                                  .as_int8 = {969, 1000},
                                  .nodes = {{"stem", 40.5, 0.25, {7.5e-09, -3}}, {"fc", NAN, 0, {0.5, 4}}}};
  m.proof = report::Proof{
      true,
      500,
      {{{"check", "check", false}, {"result", "result", false}}, {{core::cell("c99, gcc -O2"), core::cell("pass")}}},
      {}};
  m.environment = {{"compiler", "gcc"}, {"threads", "2"}};
  return m;
}

}  // namespace condenser::tests
