// The float executor against plain double-precision loops, and before against after lower().
#include "condenser/runtime/float_executor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/builder.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/rng.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"

using namespace condenser;

namespace {

using Values = std::vector<double>;

double activate(arch::ActivationKind kind, double x) {
  const double six = std::min(std::max(x + 3.0, 0.0), 6.0);
  switch (kind) {
    case arch::ActivationKind::Relu: return x > 0 ? x : 0;
    case arch::ActivationKind::Relu6: return x < 0 ? 0 : x > 6 ? 6 : x;
    case arch::ActivationKind::Silu: return x / (1 + std::exp(-x));
    case arch::ActivationKind::Sigmoid: return 1 / (1 + std::exp(-x));
    case arch::ActivationKind::HardSwish: return x * six / 6;
    case arch::ActivationKind::HardSigmoid: return six / 6;
    case arch::ActivationKind::Tanh: return std::tanh(x);
  }
  return 0;
}

double clamped(arch::Clamp clamp, double x) {
  if (clamp == arch::Clamp::Relu) return activate(arch::ActivationKind::Relu, x);
  if (clamp == arch::Clamp::Relu6) return activate(arch::ActivationKind::Relu6, x);
  return x;
}

// One image through the Spec, one output value at a time, straight from the definitions in ops.hpp.
class Naive {
 public:
  Naive(const arch::Spec& spec, const arch::Weights& weights) : spec_(spec), weights_(weights) {
    for (const arch::NodeCost& cost : arch::analyze(spec).nodes) shapes_.push_back(cost.shape);
  }

  std::vector<Values> run(const std::vector<float>& image) {
    values_.assign(spec_.nodes.size(), {});
    for (size_t i = 0; i < spec_.nodes.size(); ++i) {
      const arch::Shape s = shapes_[i];
      node_ = i;
      if (std::holds_alternative<arch::Input>(spec_.nodes[i].op)) {
        values_[i].assign(image.begin(), image.end());
        continue;
      }
      for (int64_t c = 0; c < s.c; ++c) {
        for (int64_t y = 0; y < s.h; ++y) {
          for (int64_t x = 0; x < s.w; ++x) values_[i].push_back(value(c, y, x));
        }
      }
    }
    return values_;
  }

 private:
  const arch::Shape& shape(size_t k) const { return shapes_[static_cast<size_t>(spec_.nodes[node_].inputs[k])]; }
  bool inside(int64_t y, int64_t x) const { return y >= 0 && x >= 0 && y < shape(0).h && x < shape(0).w; }
  double in(size_t k, int64_t c, int64_t y, int64_t x) const {
    const auto i = static_cast<size_t>(spec_.nodes[node_].inputs[k]);
    return values_[i][static_cast<size_t>((c * shapes_[i].h + y) * shapes_[i].w + x)];
  }
  double param(const char* name, int64_t i) const {
    return weights_.at(spec_.nodes[node_].name + "." + name).f32()[static_cast<size_t>(i)];
  }
  template <class SoftmaxLike>
  double softmax(const SoftmaxLike& op, int64_t c, int64_t y, int64_t x) const {
    double sum = 0, terms = 0;
    const auto add = [&](double other) { sum += std::exp(other - in(0, c, y, x)), terms += 1; };
    if (op.axis == arch::SoftmaxAxis::Channels) {
      for (int64_t k = 0; k < shape(0).c; ++k) add(in(0, k, y, x));
    } else {
      for (int64_t i = 0; i < shape(0).h; ++i) {
        for (int64_t j = 0; j < shape(0).w; ++j) add(in(0, c, i, j));
      }
    }
    return (op.rescale ? terms : 1) / sum;
  }
  // Of a product: a map of one pixel is that pixel everywhere.
  double factor(size_t k, int64_t c, int64_t y, int64_t x) const {
    return shape(k).h * shape(k).w == 1 ? in(k, c, 0, 0) : in(k, c, y, x);
  }
  double concat(int64_t c, int64_t y, int64_t x) const {
    size_t k = 0;
    for (; c >= shape(k).c; ++k) c -= shape(k).c;
    return in(k, c, y, x);
  }
  double value(int64_t c, int64_t y, int64_t x) const {
    return arch::visit(
        spec_.nodes[node_].op,
        arch::Overloaded{
            [&](const arch::Input&) { return 0.0; },
            [&](const arch::Conv2d& op) { return conv(op, c, y, x); },
            [&](const arch::BatchNorm& op) {
              return (in(0, c, y, x) - param("running_mean", c)) / std::sqrt(param("running_var", c) + op.eps) *
                         param("weight", c) +
                     param("bias", c);
            },
            [&](const arch::Activation& op) { return activate(op.kind, in(0, c, y, x)); },
            [&](const arch::Softmax& op) { return softmax(op, c, y, x); },
            [&](const arch::SoftmaxMul& op) { return softmax(op, c, y, x) * in(1, c, y, x); },
            [&](const arch::AvgPool& op) { return average(op, c, y, x); },
            [&](const arch::MaxPool& op) { return maximum(op, c, y, x); },
            [&](const arch::GlobalAvgPool&) {
              double sum = 0;
              for (int64_t i = 0; i < shape(0).h; ++i) {
                for (int64_t j = 0; j < shape(0).w; ++j) sum += in(0, c, i, j);
              }
              return sum / static_cast<double>(shape(0).h * shape(0).w);
            },
            [&](const arch::Linear& op) {
              double sum = op.bias ? param("bias", c) : 0;
              for (int64_t k = 0; k < shape(0).c; ++k) {
                sum += param("weight", c * shape(0).c + k) * in(0, k, 0, 0);
              }
              return clamped(op.clamp, sum);
            },
            [&](const arch::Add& op) { return clamped(op.clamp, in(0, c, y, x) + in(1, c, y, x)); },
            [&](const arch::Mul&) { return factor(0, c, y, x) * factor(1, c, y, x); },
            [&](const arch::PRelu&) {
              const double v = in(0, c, y, x);
              return v >= 0 ? v : param("weight", c) * v;
            },
            [&](const arch::Scale&) { return param("weight", 0) * in(0, c, y, x); },
            [&](const arch::BlurPool& op) { return blur(op, c, y, x); },
            [&](const arch::Upsample& op) { return in(0, c, y * shape(0).h / op.size.h, x * shape(0).w / op.size.w); },
            [&](const arch::Concat&) { return concat(c, y, x); },
            [&](const arch::Slice& op) { return in(0, op.begin + c, y, x); },
            [&](const arch::ChannelShuffle& op) {
              const int64_t group = c % op.groups, place = c / op.groups;
              return in(0, group * (shape(0).c / op.groups) + place, y, x);
            },
        });
  }
  double conv(const arch::Conv2d& op, int64_t o, int64_t y, int64_t x) const {
    const int64_t width = shape(0).c / op.groups, first = o / (op.out / op.groups) * width;
    double sum = op.bias ? param("bias", o) : 0;
    for (int64_t c = 0; c < width; ++c) {
      for (int ky = 0; ky < op.kernel.h; ++ky) {
        for (int kx = 0; kx < op.kernel.w; ++kx) {
          const int64_t iy = y * op.stride.h + ky - op.pad.top, ix = x * op.stride.w + kx - op.pad.left;
          if (!inside(iy, ix)) continue;
          sum += param("weight", ((o * width + c) * op.kernel.h + ky) * op.kernel.w + kx) * in(0, first + c, iy, ix);
        }
      }
    }
    return clamped(op.clamp, sum);
  }
  double average(const arch::AvgPool& op, int64_t c, int64_t y, int64_t x) const {
    double sum = 0, count = 0;
    for (int ky = 0; ky < op.kernel.h; ++ky) {
      for (int kx = 0; kx < op.kernel.w; ++kx) {
        const int64_t iy = y * op.stride.h + ky - op.pad.top, ix = x * op.stride.w + kx - op.pad.left;
        if (inside(iy, ix)) sum += in(0, c, iy, ix);
        if (inside(iy, ix) || op.count_include_pad) count += 1;
      }
    }
    return sum / count;
  }
  double blur(const arch::BlurPool& op, int64_t c, int64_t y, int64_t x) const {
    const Values row = op.taps == 3 ? Values{1, 2, 1} : Values{1, 4, 6, 4, 1};
    const auto mirror = [](int64_t i, int64_t n) { return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i; };
    double sum = 0, total = 0;
    for (size_t ky = 0; ky < row.size(); ++ky) {
      for (size_t kx = 0; kx < row.size(); ++kx) {
        const int64_t iy = y * op.stride.h + static_cast<int64_t>(ky) - op.taps / 2;
        const int64_t ix = x * op.stride.w + static_cast<int64_t>(kx) - op.taps / 2;
        sum += row[ky] * row[kx] * in(0, c, mirror(iy, shape(0).h), mirror(ix, shape(0).w));
        total += row[ky] * row[kx];
      }
    }
    return sum / total;
  }
  double maximum(const arch::MaxPool& op, int64_t c, int64_t y, int64_t x) const {
    double best = -std::numeric_limits<double>::infinity();
    for (int ky = 0; ky < op.kernel.h; ++ky) {
      for (int kx = 0; kx < op.kernel.w; ++kx) {
        const int64_t iy = y * op.stride.h + ky - op.pad.top, ix = x * op.stride.w + kx - op.pad.left;
        if (inside(iy, ix)) best = std::max(best, in(0, c, iy, ix));
      }
    }
    return best;
  }

  const arch::Spec& spec_;
  const arch::Weights& weights_;
  std::vector<arch::Shape> shapes_;
  std::vector<Values> values_;
  size_t node_ = 0;
};

std::vector<float> random_input(const arch::Spec& spec, int64_t n, uint64_t seed) {
  core::Rng rng(seed);
  std::vector<float> x(static_cast<size_t>(n * spec.input.elements()));
  for (float& v : x) v = static_cast<float>(rng.normal());
  return x;
}

// Random weights, biases and batch-norm statistics, so that no parameter hides behind a zero or a one.
arch::Weights varied_weights(const arch::Spec& spec, uint64_t seed) {
  arch::Weights weights = arch::random_weights(spec, seed);
  core::Rng rng(seed, 1);
  for (auto& [name, tensor] : weights.tensors) {
    const bool matrix = tensor.shape.size() > 1, variance = name.ends_with(".running_var");
    for (float& v : tensor.f32()) {
      if (variance) v = static_cast<float>(rng.uniform(0.3, 2.0));
      if (!matrix && !variance) v += static_cast<float>(rng.uniform(-0.4, 0.4));
    }
  }
  return weights;
}

double largest(const std::vector<float>& x) {
  double m = 0;
  for (float v : x) m = std::max(m, std::abs(static_cast<double>(v)));
  return m;
}

}  // namespace

TEST_CASE("float executor equals plain loops on every exemplar and node", "[runtime][float]") {
  for (const auto& exemplar : testing::exemplars()) {
    const arch::Spec& spec = exemplar.spec;
    INFO(exemplar.name);
    const arch::Weights weights = varied_weights(spec, 3);
    const std::vector<float> image = random_input(spec, 1, 4);
    const std::vector<Values> expected = Naive(spec, weights).run(image);
    std::vector<int> tapped;
    const runtime::FloatExecutor executor(spec, weights);
    const std::vector<float> output = executor.run(image, 1, [&](int node, std::span<const float> values) {
      const Values& naive = expected[static_cast<size_t>(node)];
      REQUIRE(values.size() == naive.size());
      double scale = 1e-3, worst = 0;
      for (double v : naive) scale = std::max(scale, std::abs(v));
      for (size_t i = 0; i < naive.size(); ++i) worst = std::max(worst, std::abs(naive[i] - values[i]));
      INFO(spec.node(node).name);
      CHECK(worst <= 2e-5 * scale);
      tapped.push_back(node);
    });
    CHECK(std::is_sorted(tapped.begin(), tapped.end()));
    int last = 0;
    size_t values = 0;
    for (size_t k = 0; k < spec.output_count(); ++k) {
      last = std::max(last, spec.output(k));
      values += expected[static_cast<size_t>(spec.output(k))].size();
    }
    CHECK(tapped.back() == last);
    CHECK(output.size() == values);
  }
}

TEST_CASE("lowering keeps the outputs of every exemplar", "[runtime][float]") {
  for (const auto& [name, spec] : testing::exemplars()) {
    INFO(name);
    const arch::Weights weights = varied_weights(spec, 5);
    arch::Weights lowered_weights = weights;
    const arch::Spec lowered = arch::lower(spec, &lowered_weights);
    const std::vector<float> x = random_input(spec, 3, 6);
    const std::vector<float> before = runtime::FloatExecutor(spec, weights).run(x, 3);
    const std::vector<float> after = runtime::FloatExecutor(lowered, lowered_weights).run(x, 3);
    REQUIRE(before.size() == after.size());
    const double scale = std::max(1e-3, largest(before));
    double worst = 0;
    for (size_t i = 0; i < before.size(); ++i) worst = std::max(worst, std::abs(double{before[i]} - after[i]));
    CHECK(worst <= 1e-4 * scale);
  }
}

TEST_CASE("a batch of n equals n single runs", "[runtime][float]") {
  for (const auto& [name, spec] : testing::exemplars()) {
    INFO(name);
    const arch::Weights weights = varied_weights(spec, 7);
    const runtime::FloatExecutor executor(spec, weights);
    const std::vector<float> x = random_input(spec, 3, 8);
    const std::vector<float> batch = executor.run(x, 3);
    std::vector<std::vector<float>> of_item;
    const auto item = static_cast<size_t>(spec.input.elements());
    for (size_t i = 0; i < 3; ++i) of_item.push_back(executor.run(std::span(x).subspan(i * item, item), 1));
    std::vector<float> singles;  // an output of all items, then the next
    const arch::Analysis sizes = arch::analyze(spec);
    size_t begin = 0;
    for (size_t k = 0; k < spec.output_count(); ++k) {
      const auto values = static_cast<size_t>(arch::output_shape(spec, sizes, k).elements());
      for (const std::vector<float>& one : of_item)
        singles.insert(singles.end(), one.begin() + begin, one.begin() + begin + values);
      begin += values;
    }
    REQUIRE(batch.size() == singles.size());
    for (size_t i = 0; i < batch.size(); ++i) {
      // The matrix product of a linear layer may add in another order.
      if (std::abs(batch[i] - singles[i]) > 1e-5 * std::max(1.0, largest(singles))) FAIL("value " << i);
    }
    CHECK(executor.run({}, 0).empty());
  }
}

TEST_CASE("reading a node twice, and a node that nobody needs", "[runtime][float]") {
  arch::Builder b("twice", {2, 3, 3});
  const int relu = b.add("relu", arch::Activation{}, {b.input()});
  b.add("unused", arch::Activation{arch::ActivationKind::Tanh}, {relu});
  const int square = b.add("square", arch::Mul{}, {relu, relu});
  const int twice = b.add("twice", arch::Add{}, {square, square});
  const int weighted = b.add("weighted", arch::Softmax{}, {twice});
  b.add("last", arch::Mul{}, {weighted, relu});
  const arch::Spec spec = b.finish();
  const arch::Weights none;
  const std::vector<float> x = random_input(spec, 1, 9);
  const std::vector<Values> expected = Naive(spec, none).run(x);
  std::vector<std::string> order;
  const std::vector<float> y = runtime::FloatExecutor(spec, none).run(x, 1, [&](int node, std::span<const float>) {
    order.push_back(spec.node(node).name);
  });
  CHECK(order == std::vector<std::string>{"input", "relu", "square", "twice", "weighted", "last"});
  for (size_t i = 0; i < y.size(); ++i) CHECK(y[i] == Approx(expected.back()[i]).margin(1e-6));
}

TEST_CASE("softmax and silu survive large inputs", "[runtime][float]") {
  arch::Builder b("large", {2, 1, 1});
  b.add("act", arch::Activation{arch::ActivationKind::Silu}, {b.input()});
  b.add("soft", arch::Softmax{}, {b.last()});
  const arch::Spec spec = b.finish();
  const arch::Weights none;
  const std::vector<float> y = runtime::FloatExecutor(spec, none).run(std::vector<float>{1000.0f, -1000.0f}, 1);
  CHECK(y[0] == Approx(1.0));
  CHECK(y[1] == Approx(0.0).margin(1e-30));
}

TEST_CASE("float executor refuses inputs and weights that do not fit", "[runtime][float]") {
  arch::Builder b("refusal", {1, 4, 4});
  b.add("conv", arch::Conv2d{.out = 2, .kernel = {3, 3}}, {b.input()});
  const arch::Spec spec = b.finish();
  const arch::Weights weights = arch::random_weights(spec, 1);
  const runtime::FloatExecutor executor(spec, weights);
  CHECK_THROWS_AS(executor.run(std::vector<float>(15), 1), core::Error);
  CHECK_THROWS_AS(executor.run(std::vector<float>(16), 2), core::Error);
  CHECK_THROWS_AS(executor.run({}, -1), core::Error);
  CHECK_THROWS_AS(runtime::FloatExecutor(spec, arch::Weights{}), core::Error);
}
