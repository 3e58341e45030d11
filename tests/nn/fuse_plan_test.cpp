#include "nn/fuse_plan.hpp"

#include <algorithm>
#include <map>

#include "condenser/arch/builder.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"

namespace condenser::nn {
namespace {

using arch::Activation;
using arch::ActivationKind;
using arch::Add;
using arch::BatchNorm;
using arch::Builder;
using arch::Mul;
using arch::Softmax;

constexpr arch::Shape kInput{2, 4, 4};

Step only_output(Builder& b) {
  const std::vector<Step> steps = fused_steps(b.finish());
  REQUIRE(!steps.empty());
  return steps.back();
}

}  // namespace

TEST_CASE("a plain plan has a step per node, in order", "[nn]") {
  Builder b("plain", kInput);
  const int n = b.add("n", BatchNorm{}, {b.input()});
  const int r = b.add("r", Activation{ActivationKind::Relu}, {n});
  const std::vector<Step> steps = plain_steps(b.finish());
  REQUIRE(steps.size() == 2);
  CHECK(steps[0] == Step{.output = n, .inputs = {0}, .last_uses = {0}});
  CHECK(steps[1] == Step{.output = r, .inputs = {n}, .last_uses = {n}});
}

TEST_CASE("a norm takes the activation after it", "[nn]") {
  Builder b("norm", kInput);
  const int n = b.add("n", BatchNorm{}, {b.input()});
  const int r = b.add("r", Activation{ActivationKind::Silu}, {n});
  const arch::Spec spec = b.finish();
  CHECK(fused_steps(spec) ==
        std::vector<Step>{
            {.output = r, .inputs = {0}, .fused = true, .squash = Squash::Silu, .norm_a = n, .last_uses = {0}}});
}

TEST_CASE("a value that somebody else needs is computed", "[nn]") {
  Builder b("shared", kInput);
  const int n = b.add("n", BatchNorm{}, {b.input()});
  const int r = b.add("r", Activation{ActivationKind::Relu}, {n});
  const int s = b.add("s", Add{}, {r, n});
  const std::vector<Step> steps = fused_steps(b.finish());
  REQUIRE(steps.size() == 3);
  CHECK(steps[0].output == n);
  CHECK(steps[1] == Step{.output = r, .inputs = {n}, .fused = true, .squash = Squash::Relu});
  CHECK(steps[2].output == s);
  CHECK(steps[2].norm_a == -1);
  CHECK(steps[2].inputs == std::vector<int>{r, n});
  CHECK(steps[2].last_uses == std::vector<int>{r, n});
}

TEST_CASE("a sum takes the norms on its sides, whichever they are", "[nn]") {
  const bool both = GENERATE(false, true), swapped = GENERATE(false, true);
  Builder b("sum", kInput);
  const int n = b.add("n", BatchNorm{}, {b.input()});
  const int other = both ? b.add("m", BatchNorm{}, {b.input()}) : b.input();
  const int s = b.add("s", Add{}, swapped ? arch::Inputs{other, n} : arch::Inputs{n, other});
  const Step step = only_output(b);
  CHECK(step.output == s);
  CHECK(step.join == Join::Add);
  CHECK(step.norm_a == (swapped && both ? other : n));
  CHECK(step.norm_b == (both ? (swapped ? n : other) : -1));
  CHECK(step.inputs == std::vector<int>{0, 0});
}

TEST_CASE("a gate is a plain softmax of a norm times a value of its shape", "[nn]") {
  Builder b("gate", kInput);
  const int n = b.add("n", BatchNorm{}, {b.input()});
  const bool plain = GENERATE(true, false);
  Softmax softmax;
  softmax.rescale = !plain;
  const int g = b.add("g", softmax, {n});
  b.add("p", Mul{}, {b.input(), g});
  const Step step = only_output(b);
  CHECK(step.fused == plain);
  CHECK(step.join == (plain ? Join::Gate : Join::None));
  CHECK(step.inputs == (plain ? std::vector<int>{0, 0} : std::vector<int>{0, g}));
  if (plain) CHECK(step.norm_a == n);
}

TEST_CASE("sums that clamp, and a norm on both sides, are left alone", "[nn]") {
  Builder b("twice", kInput);
  const int n = b.add("n", BatchNorm{}, {b.input()});
  const bool twice = GENERATE(true, false);
  Add clamped;
  if (!twice) clamped.clamp = arch::Clamp::Relu;
  const int s = b.add("s", clamped, {n, twice ? n : b.input()});
  const std::vector<Step> steps = fused_steps(b.finish());
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].norm_a == n);
  CHECK(steps[1].output == s);
  CHECK_FALSE(steps[1].fused);
}

TEST_CASE("what the output does not depend on is not run", "[nn]") {
  Builder b("dead", kInput);
  b.add("dead", BatchNorm{}, {b.input()});
  const int r = b.add("r", Activation{ActivationKind::Relu}, {b.input()});
  const arch::Spec spec = b.finish();
  for (const auto& steps : {plain_steps(spec), fused_steps(spec)}) {
    REQUIRE(steps.size() == 1);
    CHECK(steps[0].output == r);
  }
}

// For every exemplar: a step has what it needs, each norm runs once, and each value but the outputs is dropped after
// its last reader.
TEST_CASE("plans of all exemplars can be run", "[nn]") {
  for (const auto& [name, spec] : testing::exemplars()) {
    for (const bool fused : {false, true}) {
      INFO(name << (fused ? ", fused" : ", plain"));
      std::vector<bool> there(spec.nodes.size(), false);
      there[0] = true;
      std::map<int, int> norms;
      for (const Step& step : fused ? fused_steps(spec) : plain_steps(spec)) {
        for (const int i : step.inputs) REQUIRE(there[size_t(i)]);
        there[size_t(step.output)] = true;
        for (const int i : step.last_uses) there[size_t(i)] = false;
        for (const int norm : {step.norm_a, step.norm_b})
          if (norm >= 0) CHECK(++norms[norm] == 1);
      }
      for (size_t k = 0; k < spec.output_count(); ++k) {
        CHECK(there[size_t(spec.output(k))]);
        there[size_t(spec.output(k))] = false;
      }
      CHECK(std::count(there.begin(), there.end(), true) == 0);
    }
  }
}

}  // namespace condenser::nn
