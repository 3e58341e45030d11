// Gradcheck of the own autograd functions. Their kernels know floats only, and differences of floats would hide small
// errors. So each is written a second time with the library's operators in double precision: that reference must have
// the gradients that differences in double precision give (to 1e-6), and the own function its values and gradients (to
// what floats allow).
#include "nn/functions.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/hardsigmoid.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <array>
#include <functional>

#include "condenser/core/rng.hpp"
#include "nn/fused.hpp"
#include "support/catch.hpp"

namespace condenser::nn {
namespace {

using Tensors = std::vector<at::Tensor>;
using Function = std::function<at::Tensor(const Tensors&)>;

at::Tensor random(std::vector<int64_t> shape, uint64_t seed, double mean = 0) {
  at::Tensor out = at::empty(shape, at::kDouble);
  core::Rng rng(seed);
  for (int64_t i = 0; i < out.numel(); ++i) out.mutable_data_ptr<double>()[i] = mean + rng.normal();
  return out;
}

struct Evaluated {
  at::Tensor y;
  Tensors gradients;
};

Evaluated evaluate(const Function& f, const Tensors& inputs, const at::Tensor& dy, at::ScalarType type) {
  Tensors leaves;
  for (const auto& input : inputs) leaves.push_back(input.to(type).clone().set_requires_grad(true));
  Evaluated out{f(leaves), {}};
  out.y.backward(dy.to(type));
  for (const auto& leaf : leaves) out.gradients.push_back(leaf.grad());
  out.y = out.y.detach();
  return out;
}

void check_near(const at::Tensor& got, const at::Tensor& expected) {
  REQUIRE(got.sizes() == expected.sizes());
  const at::Tensor a = got.to(at::kDouble).contiguous(), b = expected.contiguous();
  double scale = 1;
  for (int64_t i = 0; i < b.numel(); ++i) scale = std::max(scale, std::abs(b.const_data_ptr<double>()[i]));
  for (int64_t i = 0; i < b.numel(); ++i)
    REQUIRE(std::abs(a.const_data_ptr<double>()[i] - b.const_data_ptr<double>()[i]) < 2e-5 * scale);
}

void gradcheck(const Function& own, const Function& reference, const Tensors& inputs, const at::Tensor& dy) {
  const Evaluated expected = evaluate(reference, inputs, dy, at::kDouble);
  const auto loss = [&](const Tensors& at) {
    const at::NoGradGuard no_gradients;
    return at::sum(at::mul(reference(at), dy)).item<double>();
  };
  for (size_t k = 0; k < inputs.size(); ++k) {
    INFO("input " << k);
    Tensors moved;
    for (const auto& input : inputs) moved.push_back(input.clone());
    double* value = moved[k].mutable_data_ptr<double>();
    const at::Tensor gradient = expected.gradients[k].contiguous();
    constexpr double kStep = 1e-6;
    for (int64_t i = 0; i < inputs[k].numel(); i += 1 + inputs[k].numel() / 23) {
      const double kept = value[i];
      value[i] = kept + kStep;
      const double up = loss(moved);
      value[i] = kept - kStep;
      const double down = loss(moved);
      value[i] = kept;
      REQUIRE(gradient.const_data_ptr<double>()[i] == Approx((up - down) / (2 * kStep)).epsilon(1e-6).margin(1e-6));
    }
  }
  const Evaluated got = evaluate(own, inputs, dy, at::kFloat);
  check_near(got.y, expected.y);
  for (size_t k = 0; k < inputs.size(); ++k) {
    INFO("input " << k);
    check_near(got.gradients[k], expected.gradients[k]);
  }
}

at::Tensor squashed(Squash squash, const at::Tensor& z) {
  switch (squash) {
    case Squash::Identity: return z;
    case Squash::Relu: return at::relu(z);
    case Squash::Relu6: return at::clamp(z, 0.0, 6.0);
    case Squash::Silu: return at::silu(z);
    case Squash::Sigmoid: return at::sigmoid(z);
    case Squash::HardSwish: return at::hardswish(z);
    case Squash::HardSigmoid: return at::hardsigmoid(z);
    case Squash::Tanh: return at::tanh(z);
  }
  return z;
}

void check_convolution(const arch::Shape& in, const arch::Conv2d& op, int64_t images) {
  const auto plan = std::make_shared<const ConvGeometry>(conv_geometry(in, op));
  const auto pads = std::vector<int64_t>{op.pad.left, op.pad.right, op.pad.top, op.pad.bottom};
  const auto stride = std::vector<int64_t>{op.stride.h, op.stride.w}, none = std::vector<int64_t>{0, 0};
  const auto reference = [&](const Tensors& t) {
    return at::conv2d(at::constant_pad_nd(t[0], pads, 0.0), t[1], t.size() > 2 ? t[2] : at::Tensor(), stride, none,
                      std::vector<int64_t>{1, 1}, op.groups);
  };
  Tensors inputs{random({images, in.c, in.h, in.w}, 1),
                 random({plan->out.c, plan->in_group(), op.kernel.h, op.kernel.w}, 2)};
  if (op.bias) inputs.push_back(random({plan->out.c}, 4));
  const auto own = [&](const Tensors& t) { return convolution(plan, t[0], t[1], t.size() > 2 ? t[2] : at::Tensor()); };
  gradcheck(own, reference, inputs, random({images, plan->out.c, plan->out.h, plan->out.w}, 3));
}

struct NormCase {
  Join join;
  bool second_norm;
  Squash squash;
  bool training;
  std::vector<int64_t> shape;
};

void check_fused_norm(const NormCase& c) {
  const int64_t channels = c.shape[1];
  // Running statistics of each operand, as training moves them in place: fresh ones for every call.
  const auto mean = [&](const at::Tensor& like) { return at::zeros({channels}, like.options().requires_grad(false)); };
  const auto var = [&](const at::Tensor& like) { return at::ones({channels}, like.options().requires_grad(false)); };
  Tensors inputs{random(c.shape, 1), random({channels}, 2, 1), random({channels}, 3)};
  if (c.join != Join::None) inputs.push_back(random(c.shape, 4));
  if (c.second_norm) inputs.push_back(random({channels}, 5, 1)), inputs.push_back(random({channels}, 6));
  const auto own = [&](const Tensors& t) {
    const FusedInput a{t[0], t[1], t[2], mean(t[0]), var(t[0])};
    std::optional<FusedInput> b;
    if (c.join != Join::None) b = FusedInput{.x = t[3]};
    if (c.second_norm) b = FusedInput{t[3], t[4], t[5], mean(t[0]), var(t[0])};
    return fused_norm(c.join, c.squash, a, b, c.training);
  };
  const auto reference = [&](const Tensors& t) {
    const auto norm = [&](size_t i) {
      return at::batch_norm(t[i], t[i + 1], t[i + 2], mean(t[i]), var(t[i]), c.training, 0.1, 1e-5, false);
    };
    const at::Tensor a = norm(0);
    if (c.join == Join::None) return squashed(c.squash, a);
    const at::Tensor b = c.second_norm ? norm(3) : t[3];
    return squashed(c.squash, c.join == Join::Add ? at::add(a, b) : at::mul(at::softmax(a, 1), b));
  };
  gradcheck(own, reference, inputs, random(c.shape, 7));
}

}  // namespace

TEST_CASE("convolution passes gradcheck", "[nn]") {
  using arch::pad_all;
  using arch::square;
  const auto [in, op] = GENERATE(table<arch::Shape, arch::Conv2d>({
      {{8, 9, 17}, {.out = 12, .kernel = square(3), .stride = square(1), .pad = pad_all(1), .groups = 4, .bias = true}},
      {{6, 7, 7}, {.out = 6, .kernel = square(5), .stride = square(1), .pad = pad_all(2), .groups = 6}},
      {{3, 12, 19}, {.out = 10, .kernel = square(3), .stride = square(2), .pad = {0, 1, 1, 0}}},
      {{5, 6, 6}, {.out = 7, .kernel = square(1), .stride = square(2)}},
      {{9, 3, 11}, {.out = 13, .kernel = square(1), .stride = square(1)}},
      {{30, 2, 2}, {.out = 40, .kernel = square(3), .stride = square(1), .pad = pad_all(1)}},  // by channels
  }));
  check_convolution(in, op, 3);
}

// Threads take a sixteenth of the images, or 24 channels, at a time.
TEST_CASE("convolution passes gradcheck when parts hold several images", "[nn]") {
  const auto op = [](int out, int groups, bool bias) {
    return arch::Conv2d{.out = out,
                        .kernel = arch::square(3),
                        .stride = arch::square(1),
                        .pad = arch::pad_all(1),
                        .groups = groups,
                        .bias = bias};
  };
  check_convolution({8, 6, 7}, op(8, 4, true), 37);
  check_convolution({60, 1, 2}, op(50, 1, false), 37);
}

TEST_CASE("fused norm passes gradcheck for every join and activation", "[nn]") {
  const auto join = GENERATE(Join::None, Join::Add, Join::Gate);
  const bool second_norm = GENERATE(false, true);
  const auto squash = GENERATE(Squash::Identity, Squash::Relu, Squash::Relu6, Squash::Silu, Squash::Sigmoid,
                               Squash::HardSwish, Squash::HardSigmoid, Squash::Tanh);
  const bool training = GENERATE(true, false);
  if (join == Join::None && second_norm) return;
  INFO("join " << static_cast<int>(join) << ", squash " << static_cast<int>(squash) << ", training " << training);
  check_fused_norm({join, second_norm, squash, training, {3, 5, 4, 19}});
}

// Threads take as many images as have 16,384 floats: three of these.
TEST_CASE("fused norm passes gradcheck when several parts make the whole", "[nn]") {
  const auto join = GENERATE(Join::None, Join::Add, Join::Gate);
  INFO("join " << static_cast<int>(join));
  check_fused_norm({join, join != Join::None, Squash::Silu, true, {7, 5, 20, 41}});
}

TEST_CASE("activations and sums without a norm pass gradcheck", "[nn]") {
  const std::vector<int64_t> shape{2, 3, 5, 5};
  gradcheck([](const Tensors& t) { return fused_norm(Join::None, Squash::Silu, {.x = t[0]}, {}, true); },
            [](const Tensors& t) { return at::silu(t[0]); }, {random(shape, 1)}, random(shape, 2));
  gradcheck(
      [](const Tensors& t) { return fused_norm(Join::Add, Squash::Tanh, {.x = t[0]}, FusedInput{.x = t[1]}, true); },
      [](const Tensors& t) { return at::tanh(at::add(t[0], t[1])); }, {random(shape, 1), random(shape, 2)},
      random(shape, 3));
}

TEST_CASE("operations on planes pass gradcheck", "[nn]") {
  const std::vector<int64_t> shape{2, 3, 7, 9};
  const std::vector<int64_t> two{2, 2};
  gradcheck([](const Tensors& t) { return halve(t[0]); }, [&](const Tensors& t) { return at::avg_pool2d(t[0], two); },
            {random(shape, 1)}, random({2, 3, 3, 4}, 2));
  gradcheck([](const Tensors& t) { return plane_means(t[0]); },
            [](const Tensors& t) {
              return at::mean(t[0], at::IntArrayRef({2, 3}), /*keepdim=*/true);
            },
            {random(shape, 1)}, random({2, 3, 1, 1}, 2));
  gradcheck([](const Tensors& t) { return scale_planes(t[0], t[1]); },
            [](const Tensors& t) { return at::mul(t[0], t[1]); }, {random(shape, 1), random({2, 3, 1, 1}, 2)},
            random(shape, 3));
}

// Threads take 24 rows at a time.
TEST_CASE("linear layers pass gradcheck", "[nn]") {
  for (const auto [images, in, out] : {std::array<int64_t, 3>{3, 5, 4}, {40, 7, 150}, {150, 3, 17}}) {
    gradcheck([](const Tensors& t) { return nn::linear(t[0], t[1], t[2]); },
              [](const Tensors& t) { return at::linear(t[0], t[1], t[2]); },
              {random({images, in}, 1), random({out, in}, 2), random({out}, 3)}, random({images, out}, 4));
    gradcheck([](const Tensors& t) { return nn::linear(t[0], t[1], {}); },
              [](const Tensors& t) { return at::linear(t[0], t[1]); }, {random({images, in}, 5), random({out, in}, 6)},
              random({images, out}, 7));
  }
}

TEST_CASE("maximum pool and up-sampling pass gradcheck", "[nn]") {
  const arch::MaxPool pool{.kernel = arch::square(3), .stride = {2, 1}, .pad = {1, 0, 1, 0}};
  const std::vector<int64_t> border{1, 0, 1, 0}, kernel{3, 3}, stride{2, 1};
  gradcheck([&](const Tensors& t) { return max_pool(pool, t[0]); },
            [&](const Tensors& t) { return at::max_pool2d(at::constant_pad_nd(t[0], border, -1e9), kernel, stride); },
            {random({2, 3, 7, 20}, 1)}, random({2, 3, 3, 19}, 2));
  const arch::MaxPool halving{.kernel = arch::square(2), .stride = arch::square(2)};
  const std::vector<int64_t> two{2, 2};
  gradcheck([&](const Tensors& t) { return max_pool(halving, t[0]); },
            [&](const Tensors& t) { return at::max_pool2d(t[0], two, two); }, {random({2, 3, 9, 22}, 3)},
            random({2, 3, 4, 11}, 4));
  const arch::MaxPool wide{.kernel = {2, 5}, .stride = arch::square(2), .pad = {0, 0, 2, 3}};  // wider than the image
  const std::vector<int64_t> sides{2, 3, 0, 0}, kernel25{2, 5};
  gradcheck([&](const Tensors& t) { return max_pool(wide, t[0]); },
            [&](const Tensors& t) { return at::max_pool2d(at::constant_pad_nd(t[0], sides, -1e9), kernel25, two); },
            {random({2, 3, 4, 2}, 7)}, random({2, 3, 2, 2}, 8));
  const arch::Upsample larger{.size = {7, 20}};
  const auto rows = at::tensor(std::vector<int64_t>{0, 0, 0, 1, 1, 2, 2});  // i * 3 / 7
  std::vector<int64_t> columns;
  for (int64_t i = 0; i < 20; ++i) columns.push_back(i * 9 / 20);
  const auto at_columns = at::tensor(columns);
  gradcheck([&](const Tensors& t) { return upsample(larger, t[0]); },
            [&](const Tensors& t) { return at::index_select(at::index_select(t[0], 2, rows), 3, at_columns); },
            {random({2, 3, 3, 9}, 5)}, random({2, 3, 7, 20}, 6));
}

// Threads take the planes in parts of about 32,768 floats.
TEST_CASE("operations on planes pass gradcheck when several parts make the whole", "[nn]") {
  const std::vector<int64_t> shape{8, 40, 18, 18}, pooled{8, 40, 9, 9}, single{8, 40, 1, 1}, two{2, 2};
  gradcheck([](const Tensors& t) { return halve(t[0]); }, [&](const Tensors& t) { return at::avg_pool2d(t[0], two); },
            {random(shape, 1)}, random(pooled, 2));
  gradcheck([](const Tensors& t) { return plane_means(t[0]); },
            [](const Tensors& t) {
              return at::mean(t[0], at::IntArrayRef({2, 3}), /*keepdim=*/true);
            },
            {random(shape, 3)}, random(single, 4));
  gradcheck([](const Tensors& t) { return scale_planes(t[0], t[1]); },
            [](const Tensors& t) { return at::mul(t[0], t[1]); }, {random(shape, 5), random(single, 6)},
            random(shape, 7));
  const arch::MaxPool halving{.kernel = arch::square(2), .stride = arch::square(2)};
  gradcheck([&](const Tensors& t) { return max_pool(halving, t[0]); },
            [&](const Tensors& t) { return at::max_pool2d(t[0], two, two); }, {random(shape, 8)}, random(pooled, 9));
  std::vector<int64_t> twice;
  for (int64_t i = 0; i < 18; ++i) twice.push_back(i / 2);
  const auto from = at::tensor(twice);
  const arch::Upsample doubling{.size = arch::square(18)};
  gradcheck([&](const Tensors& t) { return upsample(doubling, t[0]); },
            [&](const Tensors& t) { return at::index_select(at::index_select(t[0], 2, from), 3, from); },
            {random(pooled, 10)}, random(shape, 11));
}

}  // namespace condenser::nn
