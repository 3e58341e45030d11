// The convolution kernels against nested loops in double precision.
#include "nn/conv_kernels.hpp"

#include "support/kernels.hpp"

namespace condenser::nn {
namespace {

constexpr int64_t kImages = 3;

// Calls visit(input index, weight index, output index) for every product of the convolution.
template <class Visit>
void for_products(const ConvGeometry& g, const Visit& visit) {
  const int64_t in_group = g.in.c / g.op.groups, out_group = g.out.c / g.op.groups;
  for (int64_t n = 0; n < kImages; ++n)
    for (int64_t o = 0; o < g.out.c; ++o)
      for (int64_t y = 0; y < g.out.h; ++y)
        for (int64_t x = 0; x < g.out.w; ++x)
          for (int64_t i = 0; i < in_group; ++i)
            for (int64_t ky = 0; ky < g.op.kernel.h; ++ky)
              for (int64_t kx = 0; kx < g.op.kernel.w; ++kx) {
                const int64_t iy = y * g.op.stride.h + ky - g.op.pad.top, ix = x * g.op.stride.w + kx - g.op.pad.left;
                if (iy < 0 || iy >= g.in.h || ix < 0 || ix >= g.in.w) continue;
                visit(((n * g.in.c + o / out_group * in_group + i) * g.in.h + iy) * g.in.w + ix,
                      ((o * in_group + i) * g.op.kernel.h + ky) * g.op.kernel.w + kx,
                      ((n * g.out.c + o) * g.out.h + y) * g.out.w + x);
              }
}

struct Case {
  arch::Shape in;
  arch::Conv2d op;
};

std::vector<Case> cases() {
  using arch::pad_all;
  using arch::square;
  return {
      {{1, 28, 28}, {.out = 5, .kernel = square(3), .stride = square(2), .pad = pad_all(1)}},
      {{3, 9, 11}, {.out = 4, .kernel = square(7), .stride = {2, 3}, .pad = {3, 2, 1, 3}}},
      {{8, 14, 14}, {.out = 8, .kernel = square(3), .stride = square(1), .pad = pad_all(1), .groups = 4}},
      {{12, 7, 7}, {.out = 20, .kernel = square(3), .stride = square(1), .pad = pad_all(1), .groups = 4}},
      {{6, 7, 7}, {.out = 11, .kernel = square(1), .stride = square(1)}},
      {{5, 1, 1}, {.out = 7, .kernel = square(1), .stride = square(1)}},
      {{4, 2, 3}, {.out = 3, .kernel = square(3), .stride = square(1), .pad = pad_all(1)}},
      {{4, 6, 6}, {.out = 4, .kernel = square(5), .stride = square(1), .pad = pad_all(2), .groups = 4}},
      {{2, 5, 9}, {.out = 3, .kernel = {1, 4}, .stride = square(1), .pad = {0, 0, 3, 1}}},
      {{2, 5, 9}, {.out = 3, .kernel = {2, 3}, .stride = square(1), .pad = {1, 0, 0, 0}}},
      {{2, 4, 4}, {.out = 2, .kernel = square(1), .stride = square(1), .pad = pad_all(1)}},
      {{2, 6, 6}, {.out = 2, .kernel = square(3), .stride = square(1)}},
      {{3, 8, 8}, {.out = 2, .kernel = square(1), .stride = square(2)}},
      {{7, 20, 33}, {.out = 15, .kernel = square(3), .stride = square(1), .pad = pad_all(1)}},
      {{24, 5, 36},
       {.out = 24, .kernel = square(3), .stride = square(1), .pad = pad_all(1), .groups = 4, .bias = true}},
      {{6, 17, 35}, {.out = 6, .kernel = square(5), .stride = square(2), .pad = pad_all(2), .groups = 6}},
      {{4, 40, 21}, {.out = 8, .kernel = square(3), .stride = square(2), .pad = {0, 1, 0, 1}, .groups = 2}},
      {{2, 3, 5}, {.out = 3, .kernel = square(1), .stride = square(4), .groups = 1}},
      {{1, 9, 9}, {.out = 1, .kernel = {2, 1}, .stride = {4, 3}, .pad = {1, 2, 0, 0}}},
      {{33, 4, 13}, {.out = 37, .kernel = square(1), .stride = square(1)}},
      // Weights in parts: of sources and of images, and of an image's pixels.
      {{20, 12, 33}, {.out = 7, .kernel = square(3), .stride = square(1), .pad = pad_all(1)}},
      {{2, 45, 50}, {.out = 3, .kernel = square(3), .stride = square(1), .pad = pad_all(1)}},
  };
}

}  // namespace

TEST_CASE("convolution kernels are sums of products", "[nn]") {
  const EverySimd every;
  for (const Simd set : every.sets()) {
    limit_simd(set);
    int number = 0;
    for (const auto& [in, op] : cases()) {
      INFO("instruction set " << static_cast<int>(set) << ", case " << number++);
      const ConvGeometry g = conv_geometry(in, op);
      const auto x = random_floats(kImages * in.elements(), 1);
      const auto w = random_floats(g.weights(), 2);
      const auto dy = random_floats(kImages * g.out.elements(), 3);
      const auto bias = random_floats(g.out.c, 4);
      std::vector<double> y_expected(dy.size()), dx_expected(x.size()), dw_expected(w.size());
      for_products(g, [&](int64_t i, int64_t k, int64_t o) {
        y_expected[o] += double(x[i]) * w[k];
        dx_expected[i] += double(dy[o]) * w[k];
        dw_expected[k] += double(dy[o]) * x[i];
      });

      const int64_t pixels = g.out.h * g.out.w;
      for (size_t i = 0; i < dy.size(); ++i)
        if (op.bias) y_expected[i] += bias[static_cast<size_t>(static_cast<int64_t>(i) / pixels % g.out.c)];

      std::vector<float> y(dy.size(), 99.0f), dw(w.size(), 0.0f), dx(x.size(), 99.0f);
      std::vector<float> forward(w.size()), gradient(w.size());
      for (int64_t i = 0; i < forward_weight_parts(g); ++i) forward_weights(g, w.data(), i, forward.data());
      for (int64_t i = 0; i < gradient_weight_parts(g); ++i) gradient_weights(g, w.data(), i, gradient.data());
      conv_forward(g, x.data(), forward.data(), op.bias ? bias.data() : nullptr, kImages, y.data());
      check_near(y, y_expected);
      conv_input_gradient(g, dy.data(), gradient.data(), kImages, dx.data());
      check_near(dx, dx_expected);
      conv_weight_gradient(g, x.data(), dy.data(), kImages, dw.data());
      check_near(dw, dw_expected);

      std::fill(dw.begin(), dw.end(), 0.0f);  // in parts, in another order
      for (int64_t group = op.groups - 1; group >= 0; --group)
        for (int64_t first = 0; first < g.out_group(); first += 3)
          conv_weight_gradient(g, x.data(), dy.data(), kImages,
                               {group, first, std::min<int64_t>(3, g.out_group() - first)}, dw.data());
      check_near(dw, dw_expected);
    }
  }
}

}  // namespace condenser::nn
