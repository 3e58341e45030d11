// Linear layers against nested loops in double precision.
#include "nn/linear_kernels.hpp"

#include <algorithm>

#include "support/kernels.hpp"

namespace condenser::nn {

TEST_CASE("linear kernels are sums of products", "[nn]") {
  struct Case {
    int64_t images, in, out;
  };
  const EverySimd every;
  for (const Simd set : every.sets()) {
    limit_simd(set);
    for (const auto& [images, in, out] :
         {Case{1, 1, 1}, {3, 5, 4}, {7, 16, 9}, {20, 33, 11}, {30, 8, 150}, {2, 1500, 3}}) {
      INFO("instruction set " << static_cast<int>(set) << ", " << images << " x " << in << " -> " << out);
      const LinearShape s{in, out};
      const auto x = random_floats(images * in, 1), w = random_floats(out * in, 2), bias = random_floats(out, 3);
      const auto dy = random_floats(images * out, 4);
      std::vector<double> y(dy.size()), with_bias(dy.size()), dx(x.size()), dw(w.size());
      for (int64_t n = 0; n < images; ++n)
        for (int64_t o = 0; o < out; ++o) {
          for (int64_t i = 0; i < in; ++i) {
            y[n * out + o] += double(x[n * in + i]) * w[o * in + i];
            dx[n * in + i] += double(dy[n * out + o]) * w[o * in + i];
            dw[o * in + i] += double(dy[n * out + o]) * x[n * in + i];
          }
          with_bias[n * out + o] = y[n * out + o] + bias[o];
        }
      std::vector<float> got_y(dy.size(), 99.0f), got_dx(x.size(), 99.0f), got_dw(w.size(), 99.0f);
      linear_forward(s, x.data(), w.data(), nullptr, images, got_y.data());
      check_near(got_y, y);
      linear_forward(s, x.data(), w.data(), bias.data(), images, got_y.data());
      check_near(got_y, with_bias);
      linear_input_gradient(s, dy.data(), w.data(), images, got_dx.data());
      check_near(got_dx, dx);
      for (int64_t first = 0; first < out; first += 4)
        linear_weight_gradient(s, x.data(), dy.data(), images, first, std::min<int64_t>(4, out - first), got_dw.data());
      check_near(got_dw, dw);
    }
  }
}

}  // namespace condenser::nn
