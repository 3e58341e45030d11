// Threads and gradients of the own operators. The gradient with respect to the input of a strided convolution is left
// to the library (which wants equal padding): in column networks only the first convolution, whose input needs none,
// has a stride.
#include "nn/functions.hpp"

#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "nn/team.hpp"

namespace condenser::nn {
namespace {

constexpr int64_t kChunkFloats = 32768;  // fixed, so that sums do not depend on threads

int64_t chunk_images(const ConvGeometry& g) {
  return std::clamp<int64_t>(kChunkFloats / std::max(g.in.elements(), g.out.elements()), 1, 16);
}

int64_t chunk_count(const ConvGeometry& g, int64_t images) { return (images + chunk_images(g) - 1) / chunk_images(g); }

// Calls body(chunk, first image, images).
template <class Body>
void for_images(const ConvGeometry& g, int64_t images, const Body& body) {
  const int64_t chunk = chunk_images(g);
  Team::instance().run(chunk_count(g, images),
                       [&](int64_t i) { body(i, i * chunk, std::min(chunk, images - i * chunk)); });
}

at::Tensor run_forward(const ConvGeometry& g, const at::Tensor& x, const float* weight) {
  const int64_t images = x.size(0);
  at::Tensor y = at::empty({images, g.out.c, g.out.h, g.out.w}, x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  for_images(g, images, [&](int64_t, int64_t first, int64_t count) {
    conv_forward(g, from + first * g.in.elements(), weight, count, to + first * g.out.elements());
  });
  return y;
}

at::Tensor input_gradient(const ConvGeometry& g, const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight) {
  if (has_transposed(g.op)) {
    std::vector<float> transposed(static_cast<size_t>(weight.numel()));
    transpose_weight(g, weight.const_data_ptr<float>(), transposed.data());
    return run_forward(transposed_geometry(g), dy, transposed.data());
  }
  const auto& p = g.op.pad;
  return std::get<0>(at::convolution_backward(dy, x, weight, std::nullopt, {g.op.stride.h, g.op.stride.w},
                                              {p.top, p.left}, {1, 1}, false, {0, 0}, g.op.groups,
                                              {true, false, false}));
}

at::Tensor weight_gradient(const ConvGeometry& g, const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight) {
  const int64_t images = x.size(0), size = weight.numel(), chunks = chunk_count(g, images);
  std::vector<float> partial(static_cast<size_t>(chunks * size), 0.0f);
  const float* from = x.const_data_ptr<float>();
  const float* gradient = dy.const_data_ptr<float>();
  for_images(g, images, [&](int64_t i, int64_t first, int64_t count) {
    conv_weight_gradient(g, from + first * g.in.elements(), gradient + first * g.out.elements(), count,
                         partial.data() + i * size);
  });
  at::Tensor out = at::empty(weight.sizes(), weight.options());
  float* to = out.mutable_data_ptr<float>();
  std::copy(partial.begin(), partial.begin() + size, to);
  for (int64_t i = 1; i < chunks; ++i)
    for (int64_t k = 0; k < size; ++k) to[k] += partial[static_cast<size_t>(i * size + k)];
  return out;
}

struct Convolution : torch::autograd::Function<Convolution> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const ConvGeometry& g) {
    context->save_for_backward({x, weight});
    const auto& op = g.op;
    context->saved_data["in"] = std::vector<int64_t>{g.in.c, g.in.h, g.in.w};
    context->saved_data["op"] = std::vector<int64_t>{op.out,     op.kernel.h,   op.kernel.w, op.stride.h,  op.stride.w,
                                                     op.pad.top, op.pad.bottom, op.pad.left, op.pad.right, op.groups};
    return run_forward(g, x, weight.const_data_ptr<float>());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto in = context->saved_data["in"].toIntVector();
    const auto op = context->saved_data["op"].toIntVector();
    const auto at = [&](size_t i) { return static_cast<int>(op[i]); };
    const ConvGeometry g = conv_geometry({in[0], in[1], in[2]}, {.out = at(0),
                                                                 .kernel = {at(1), at(2)},
                                                                 .stride = {at(3), at(4)},
                                                                 .pad = {at(5), at(6), at(7), at(8)},
                                                                 .groups = at(9)});
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx, dw;
    if (context->needs_input_grad(0)) dx = input_gradient(g, dy, saved[0], saved[1]);
    if (context->needs_input_grad(1)) dw = weight_gradient(g, dy, saved[0], saved[1]);
    return {dx, dw, {}};
  }
};

// Calls body(first plane, planes).
template <class Body>
void for_planes(int64_t planes, int64_t floats, const Body& body) {
  const int64_t chunk = std::max<int64_t>(1, kChunkFloats / std::max<int64_t>(1, floats));
  Team::instance().run((planes + chunk - 1) / chunk,
                       [&](int64_t i) { body(i * chunk, std::min(chunk, planes - i * chunk)); });
}

at::Tensor run_halve(const at::Tensor& x) {
  const int64_t h = x.size(2), w = x.size(3);
  at::Tensor y = at::empty({x.size(0), x.size(1), h / 2, w / 2}, x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  for_planes(x.size(0) * x.size(1), h * w, [&](int64_t first, int64_t planes) {
    halve_forward(from + first * h * w, planes, h, w, to + first * (h / 2) * (w / 2));
  });
  return y;
}

struct Halve : torch::autograd::Function<Halve> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    context->saved_data["h"] = x.size(2);
    context->saved_data["w"] = x.size(3);
    return run_halve(x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const int64_t h = context->saved_data["h"].toInt(), w = context->saved_data["w"].toInt();
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx = at::empty({dy.size(0), dy.size(1), h, w}, dy.options());
    const float* from = dy.const_data_ptr<float>();
    float* to = dx.mutable_data_ptr<float>();
    for_planes(dy.size(0) * dy.size(1), h * w, [&](int64_t first, int64_t planes) {
      halve_backward(from + first * (h / 2) * (w / 2), planes, h, w, to + first * h * w);
    });
    return {dx};
  }
};

}  // namespace

bool has_gradient(const arch::Conv2d& op) {
  return has_transposed(op) || (op.pad.top == op.pad.bottom && op.pad.left == op.pad.right);
}

at::Tensor convolution(const ConvGeometry& g, const at::Tensor& x, const at::Tensor& weight) {
  const at::Tensor dense = x.contiguous();
  if (!at::GradMode::is_enabled()) return run_forward(g, dense, weight.const_data_ptr<float>());
  return Convolution::apply(dense, weight, g);
}

at::Tensor halve(const at::Tensor& x) {
  const at::Tensor dense = x.contiguous();
  return at::GradMode::is_enabled() ? Halve::apply(dense) : run_halve(dense);
}

}  // namespace condenser::nn
