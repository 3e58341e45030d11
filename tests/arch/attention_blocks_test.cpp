// The blocks of the attention-condenser line against their formulas.

#include "condenser/arch/attention_blocks.hpp"

#include <cmath>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/blocks.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/arch/weights.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "support/catch.hpp"

using namespace condenser;
using namespace condenser::arch;
using Catch::Matchers::Contains;

namespace {

std::vector<float> noise(int64_t count, uint64_t seed) {
  core::Rng rng(seed, 0);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = static_cast<float>(rng.normal());
  return values;
}

std::vector<float> run(const Spec& spec, const Weights& weights, const std::vector<float>& x) {
  return runtime::FloatExecutor(spec, weights).run(x, 1);
}

Spec one_condenser(SelectiveForm form) {
  Builder b("condenser", {4, 6, 6});
  AttentionCondenserOptions o;
  o.embedding = {{8, 4}};
  o.form = form;
  attention_condenser(b, b.input(), "ac", o);
  return b.finish();
}

}  // namespace

TEST_CASE("V' = S V + A: S scales the value, and S = 0 leaves the attention", "[arch]") {
  const Spec spec = one_condenser(SelectiveForm::Additive);
  Weights weights = random_weights(spec, 3);
  const std::vector<float> v = noise(4 * 36, 5);
  const std::vector<float> one = run(spec, weights, v);
  weights.tensors.at("ac_scale.weight").f32()[0] = 0;
  const std::vector<float> a = run(spec, weights, v);
  weights.tensors.at("ac_scale.weight").f32()[0] = 3;
  const std::vector<float> three = run(spec, weights, v);
  for (size_t i = 0; i < v.size(); ++i) {
    CHECK(one[i] == Approx(v[i] + a[i]).margin(1e-5));
    CHECK(three[i] == Approx(3 * v[i] + a[i]).margin(1e-5));
  }
  for (size_t y = 0; y < 6; y += 2)  // nearest expansion of a map condensed by 2: equal values in each 2x2
    CHECK(a[y * 6] == a[y * 6 + 7]);
}

TEST_CASE("V' = S V sigmoid(A) + V: S = 0 leaves the value", "[arch]") {
  const Spec spec = one_condenser(SelectiveForm::Gated);
  Weights weights = random_weights(spec, 3);
  weights.tensors.at("ac_scale.weight").f32()[0] = 0;
  const std::vector<float> v = noise(4 * 36, 5);
  CHECK(run(spec, weights, v) == v);
}

TEST_CASE("n equal parallel columns compute one convolution with n groups", "[arch]") {
  const int columns = 4, width = 3, in = 8;
  Builder grouped("grouped", {in, 7, 6});
  conv_bn_act(grouped, 0, "c", {columns * width, 3, 1, columns, ActivationKind::Silu});
  const Spec one = grouped.finish();
  Builder parallel("parallel", {in, 7, 6});
  parallel_columns(parallel, 0, "p", std::vector<Column>(columns, {width}), ActivationKind::Silu);
  const Spec many = parallel.finish();
  CHECK(analyze(one).params == analyze(many).params);
  CHECK(analyze(one).macs == analyze(many).macs);

  const Weights whole = random_weights(one, 9);
  Weights parts = random_weights(many, 0);
  for (int k = 0; k < columns; ++k) {
    const std::string node = "p_c" + std::to_string(k + 1) + "_1";
    for (const auto& [from, to] : {std::pair{"c.weight", node + ".weight"}, {"c_bn.weight", node + "_bn.weight"}}) {
      const auto source = whole.at(from).f32();
      auto target = parts.tensors.at(to).f32();
      REQUIRE(source.size() == target.size() * columns);
      std::copy_n(source.begin() + static_cast<std::ptrdiff_t>(target.size()) * k, target.size(), target.begin());
    }
  }
  const std::vector<float> x = noise(in * 42, 1);
  const std::vector<float> a = run(one, whole, x), b = run(many, parts, x);
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).margin(1e-6));
}

TEST_CASE("parallel columns keep the rule of columns", "[arch]") {
  Builder b("net", {3, 16, 16});
  int x = conv_bn_act(b, b.input(), "stem", {8});
  x = parallel_columns(b, x, "p", {{8, 2, 3}, {8, 1, 5}}, ActivationKind::Silu);
  x = mix_columns(b, x, "mix", ColumnMixing::Pointwise, 2, ActivationKind::Silu);
  classifier_head(b, x, 10);
  const Spec spec = b.finish();
  CHECK(find_rule("column_layout")->check(spec).empty());
  CHECK_THAT(find_rule("column_layout")->evidence(spec), Contains("3 spatial convolutions"));
}

TEST_CASE("every down-sampling halves, and those with a filter keep the rule", "[arch]") {
  for (Downsampling kind : kDownsamplings) {
    INFO(to_string(kind));
    Builder b("net", {4, 12, 10});
    int x = conv_bn_act(b, b.input(), "stem", {4});
    x = column_block(b, x, "s1b1", {.channels = 8, .columns = 2, .stride = 2, .attention = true, .downsampling = kind});
    CHECK(b.shape(x) == Shape{8, 6, 5});
    const Spec spec = b.finish();
    CHECK(find_rule("antialiased_downsampling")->check(spec).empty() == (kind != Downsampling::Max2));
  }
}

TEST_CASE("the double condenser projects even where the shape stays", "[arch]") {
  Builder b("net", {8, 6, 6});
  double_condenser(b, b.input(), "d", {.channels = 8, .columns = 2, .spatial = 1});
  const Spec spec = b.finish();
  CHECK(find_node(spec, "d_sc") > 0);
  CHECK(find_node(spec, "d_softmax") > 0);
  CHECK_THROWS_AS(find_node(spec, "d_c1"), SpecError);
}

TEST_CASE("the commented example reads, keeps the rules and says the same after a round trip", "[arch]") {
  const Spec spec = read_spec(std::string(CONDENSER_SOURCE_DIR) + "/experiments/own_network/my_net.yaml");
  for (const Rule& rule : rules()) CHECK(rule.check(spec).empty());
  CHECK(analyze(spec).nodes.back().shape == Shape{10, 1, 1});
  CHECK(parse_spec(to_yaml(spec), "again") == spec);
}

TEST_CASE("block calls of every kind read from a file", "[arch]") {
  const Spec spec = parse_spec(R"(
condenser_spec: 1
name: net
input: [3, 16, 16]
nodes:
  - {name: stem, block: conv_bn_act, out: 8}
  - {name: p, block: pepe, narrow: 4, wide: 8, out: 8}
  - {name: v, block: attention_condenser, spatial: [4], pointwise: [4], mix: 4, form: gated, condensation: avg}
  - {name: d, block: double_condenser, channels: 8, columns: 2, stride: 2, spatial: 1, axis: space, rescale: true, downsampling: max_blur3}
  - {name: i, block: inverted_residual, expanded: 16, out: 8, squeeze: 4}
  - {name: s, block: shufflenet_v2_unit, out: 8}
  - {name: g, block: ghost_module, out: 8}
  - {name: w, block: depthwise_separable, out: 8, stride: 2}
  - {name: m, block: mix_columns, mixing: shuffle, columns: 4}
  - {name: pool, block: antialias_pool, kind: blur3}
  - {block: classifier_head, classes: 5}
)",
                               "net.yaml");
  CHECK(analyze(spec).nodes.back().shape == Shape{5, 1, 1});
  CHECK(parse_spec(to_json(spec), "again") == spec);
}

TEST_CASE("blocks name what does not fit", "[arch]") {
  Builder b("net", {8, 6, 6});
  AttentionCondenserOptions o;
  o.embedding = {{8, 5}};
  CHECK_THROWS_WITH(attention_condenser(b, 0, "ac", o), Contains("ac") && Contains("5 channels; expected 8"));
  o.embedding.clear();
  CHECK_THROWS_WITH(attention_condenser(b, 0, "ac", o), Contains("no embedding"));
  o.embedding = {{8, 8}};
  o.window = 7;
  CHECK_THROWS_WITH(attention_condenser(b, 0, "ac", o), Contains("condensation by 7"));
  CHECK_THROWS_WITH(pepe(b, 0, "p", {4, 6, 8}), Contains("multiple of narrow"));
  CHECK_THROWS_WITH(parallel_columns(b, 0, "p", {{4}, {4}, {4}}, ActivationKind::Relu), Contains("8 channels for 3"));
  CHECK_THROWS_WITH(parallel_columns(b, 0, "p", {{4}}, ActivationKind::Relu), Contains("expected 2..8"));
}
