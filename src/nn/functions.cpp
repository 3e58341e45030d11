// Threads and gradients of the own operators.
#include "nn/functions.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/team.hpp"
#include "nn/linear_kernels.hpp"
#include "nn/plane_kernels.hpp"

namespace condenser::nn {
namespace {

constexpr int64_t kChunkFloats = 65536;  // work of a thread at once; fixed, so that sums do not depend on threads

// Images that a thread takes at once: several, so that little time goes into starting, but at least 16 chunks a batch.
int64_t chunk_images(const ConvGeometry& g, int64_t images) {
  const int64_t fit = kChunkFloats / std::max(g.in.elements(), g.out.elements());
  return std::max<int64_t>(1, std::min({fit, images / 16, int64_t{16}}));
}

// Weights in the order of the products: make(part, to) for every part, some at a time.
template <class Make>
std::vector<float> arranged(int64_t floats, int64_t parts, const Make& make) {
  std::vector<float> weights(static_cast<size_t>(floats));
  core::for_parts(parts, (parts + 31) / 32, [&](int64_t first, int64_t count) {
    for (int64_t part = first; part < first + count; ++part) make(part, weights.data());
  });
  return weights;
}

at::Tensor run_forward(const ConvGeometry& g, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const int64_t images = x.size(0);
  at::Tensor y = at::empty({images, g.out.c, g.out.h, g.out.w}, x.options());
  const float* given = weight.const_data_ptr<float>();
  const auto weights = arranged(g.weights(), forward_weight_parts(g),
                                [&](int64_t part, float* to) { forward_weights(g, given, part, to); });
  const float* added = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  core::for_parts(images, chunk_images(g, images), [&](int64_t first, int64_t count) {
    conv_forward(g, from + first * g.in.elements(), weights.data(), added, count, to + first * g.out.elements());
  });
  return y;
}

at::Tensor input_gradient(const ConvGeometry& g, const at::Tensor& dy, const at::Tensor& weight) {
  const int64_t images = dy.size(0);
  at::Tensor dx = at::empty({images, g.in.c, g.in.h, g.in.w}, dy.options());
  const float* given = weight.const_data_ptr<float>();
  const auto weights = arranged(g.weights(), gradient_weight_parts(g),
                                [&](int64_t part, float* to) { gradient_weights(g, given, part, to); });
  const float* from = dy.const_data_ptr<float>();
  float* to = dx.mutable_data_ptr<float>();
  core::for_parts(images, chunk_images(g, images), [&](int64_t first, int64_t count) {
    conv_input_gradient(g, from + first * g.out.elements(), weights.data(), count, to + first * g.in.elements());
  });
  return dx;
}

// Each thread sums over some images; the sums are added in order.
void gradient_by_images(const ConvGeometry& g, const float* x, const float* dy, int64_t images, float* out) {
  const int64_t chunk = chunk_images(g, images), chunks = (images + chunk - 1) / chunk, size = g.weights();
  std::vector<float> partial(static_cast<size_t>((chunks - 1) * size), 0.0f);
  core::for_parts(images, chunk, [&](int64_t first, int64_t count) {
    conv_weight_gradient(g, x + first * g.in.elements(), dy + first * g.out.elements(), count,
                         first == 0 ? out : partial.data() + (first / chunk - 1) * size);
  });
  constexpr int64_t kTogether = 4096;
  core::for_parts(size, kTogether, [&](int64_t first, int64_t count) {
    for (int64_t i = 1; i < chunks; ++i)
      for (int64_t k = first; k < first + count; ++k) out[k] += partial[static_cast<size_t>((i - 1) * size + k)];
  });
}

// Each thread takes some output channels of all images: for weights that are larger than the activations.
void gradient_by_channels(const ConvGeometry& g, const float* x, const float* dy, int64_t images, float* out) {
  constexpr int64_t kChannels = 24, kImages = 16;
  const int64_t ranges = (g.out_group() + kChannels - 1) / kChannels;
  core::Team::instance().run(g.op.groups * ranges, [&](int64_t i) {
    const int64_t first = i % ranges * kChannels;
    const ChannelRange range{i / ranges, first, std::min(kChannels, g.out_group() - first)};
    for (int64_t k = 0; k < images; k += kImages)
      conv_weight_gradient(g, x + k * g.in.elements(), dy + k * g.out.elements(), std::min(kImages, images - k), range,
                           out);
  });
}

at::Tensor weight_gradient(const ConvGeometry& g, const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight) {
  at::Tensor out = at::zeros(weight.sizes(), weight.options());
  const bool large = g.weights() > g.in.elements() * chunk_images(g, x.size(0));
  const auto run = large ? gradient_by_channels : gradient_by_images;
  run(g, x.const_data_ptr<float>(), dy.const_data_ptr<float>(), x.size(0), out.mutable_data_ptr<float>());
  return out;
}

at::Tensor bias_gradient(const ConvGeometry& g, const at::Tensor& dy) {
  const int64_t images = dy.size(0), chunk = chunk_images(g, images), chunks = (images + chunk - 1) / chunk;
  std::vector<float> partial(static_cast<size_t>(chunks * g.out.c), 0.0f);
  const float* from = dy.const_data_ptr<float>();
  core::for_parts(images, chunk, [&](int64_t first, int64_t count) {
    channel_sums(from + first * g.out.elements(), count, g.out.c, g.out.h * g.out.w,
                 partial.data() + first / chunk * g.out.c);
  });
  at::Tensor out = at::zeros({g.out.c}, dy.options());
  channel_sums(partial.data(), chunks, g.out.c, 1, out.mutable_data_ptr<float>());
  return out;
}

constexpr int64_t kLinearRows = 24;  // of a linear layer's result at once: whole blocks of the products

LinearShape linear_shape(const at::Tensor& weight) { return {weight.size(1), weight.size(0)}; }

at::Tensor run_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const LinearShape s = linear_shape(weight);
  at::Tensor y = at::empty({x.size(0), s.out}, x.options());
  const float* from = x.const_data_ptr<float>();
  const float* w = weight.const_data_ptr<float>();
  const float* added = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  float* to = y.mutable_data_ptr<float>();
  core::for_parts(x.size(0), kLinearRows, [&](int64_t first, int64_t rows) {
    linear_forward(s, from + first * s.in, w, added, rows, to + first * s.out);
  });
  return y;
}

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    context->save_for_backward({x, weight});
    context->saved_data["bias"] = bias.has_value();
    return run_linear(x, weight, bias.value_or(at::Tensor()));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], dy = gradients[0].contiguous();
    const LinearShape s = linear_shape(weight);
    const float* from = dy.const_data_ptr<float>();
    at::Tensor dx, dw, db;
    if (context->needs_input_grad(0)) {
      dx = at::empty(x.sizes(), x.options());
      const float* w = weight.const_data_ptr<float>();
      float* to = dx.mutable_data_ptr<float>();
      core::for_parts(x.size(0), kLinearRows, [&](int64_t first, int64_t rows) {
        linear_input_gradient(s, from + first * s.out, w, rows, to + first * s.in);
      });
    }
    if (context->needs_input_grad(1)) {
      dw = at::empty(weight.sizes(), weight.options());
      const float* inputs = x.const_data_ptr<float>();
      float* to = dw.mutable_data_ptr<float>();
      core::for_parts(s.out, kLinearRows, [&](int64_t first, int64_t rows) {
        linear_weight_gradient(s, inputs, from, x.size(0), first, rows, to);
      });
    }
    if (context->saved_data["bias"].toBool()) {
      db = at::zeros({s.out}, dy.options());
      channel_sums(from, dy.size(0), s.out, 1, db.mutable_data_ptr<float>());
    }
    return {dx, dw, db};
  }
};

// Keeps a geometry alive as long as a graph refers to it.
struct GeometryHolder : torch::CustomClassHolder {
  explicit GeometryHolder(ConvPlan plan) : geometry(std::move(plan)) {}
  ConvPlan geometry;
};

struct Convolution : torch::autograd::Function<Convolution> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, const ConvPlan& g) {
    context->save_for_backward({x, weight});
    context->saved_data["geometry"] = c10::IValue::make_capsule(c10::make_intrusive<GeometryHolder>(g));
    return run_forward(*g, x, weight, bias.value_or(at::Tensor()));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto holder = context->saved_data["geometry"].toCapsule();
    const ConvGeometry& g = *static_cast<const GeometryHolder&>(*holder).geometry;
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx, dw, db;
    if (context->needs_input_grad(0)) dx = input_gradient(g, dy, saved[1]);
    if (context->needs_input_grad(1)) dw = weight_gradient(g, dy, saved[0], saved[1]);
    if (g.op.bias) db = bias_gradient(g, dy);
    return {dx, dw, db, {}};
  }
};

// Calls body(first plane, planes).
template <class Body>
void for_planes(int64_t planes, int64_t floats, const Body& body) {
  core::for_parts(planes, std::max<int64_t>(1, kChunkFloats / std::max<int64_t>(1, floats)), body);
}

void keep_plane_size(torch::autograd::AutogradContext* context, const at::Tensor& x) {
  context->saved_data["h"] = x.size(2);
  context->saved_data["w"] = x.size(3);
}

// The gradient of an operator that gives planes of the size kept another one: backward(dy, planes, h, w, dx).
template <class Backward>
at::Tensor gradient_of_planes(torch::autograd::AutogradContext* context, const at::Tensor& gradient,
                              const Backward& backward) {
  const int64_t h = context->saved_data["h"].toInt(), w = context->saved_data["w"].toInt();
  const at::Tensor dy = gradient.contiguous();
  const int64_t pixels = dy.size(2) * dy.size(3);
  at::Tensor dx = at::empty({dy.size(0), dy.size(1), h, w}, dy.options());
  const float* from = dy.const_data_ptr<float>();
  float* to = dx.mutable_data_ptr<float>();
  for_planes(dy.size(0) * dy.size(1), std::max(h * w, pixels),
             [&](int64_t first, int64_t planes) { backward(from + first * pixels, planes, h, w, to + first * h * w); });
  return dx;
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
    keep_plane_size(context, x);
    return run_halve(x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {gradient_of_planes(context, gradients[0], halve_backward)};
  }
};

at::Tensor run_means(const at::Tensor& x) {
  const int64_t pixels = x.size(2) * x.size(3);
  at::Tensor y = at::empty({x.size(0), x.size(1), 1, 1}, x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  for_planes(x.size(0) * x.size(1), pixels,
             [&](int64_t first, int64_t planes) { means_forward(from + first * pixels, planes, pixels, to + first); });
  return y;
}

struct PlaneMeans : torch::autograd::Function<PlaneMeans> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    keep_plane_size(context, x);
    return run_means(x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto backward = [](const float* dy, int64_t planes, int64_t h, int64_t w, float* dx) {
      means_backward(dy, planes, h * w, dx);
    };
    return {gradient_of_planes(context, gradients[0], backward)};
  }
};

at::Tensor run_scale(const at::Tensor& x, const at::Tensor& factor) {
  const int64_t pixels = x.size(2) * x.size(3);
  at::Tensor y = at::empty(x.sizes(), x.options());
  const float* from = x.const_data_ptr<float>();
  const float* f = factor.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  for_planes(factor.numel(), pixels, [&](int64_t first, int64_t planes) {
    scale_forward(from + first * pixels, f + first, planes, pixels, to + first * pixels);
  });
  return y;
}

struct ScalePlanes : torch::autograd::Function<ScalePlanes> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& factor) {
    context->save_for_backward({x, factor});
    return run_scale(x, factor);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor dy = gradients[0].contiguous();
    const int64_t pixels = dy.size(2) * dy.size(3);
    at::Tensor dx = at::empty(dy.sizes(), dy.options()), df = at::empty(saved[1].sizes(), dy.options());
    const float* x = saved[0].const_data_ptr<float>();
    const float* f = saved[1].const_data_ptr<float>();
    const float* from = dy.const_data_ptr<float>();
    float* to = dx.mutable_data_ptr<float>();
    float* to_factor = df.mutable_data_ptr<float>();
    for_planes(df.numel(), pixels, [&](int64_t first, int64_t planes) {
      const int64_t at = first * pixels;
      scale_backward(x + at, f + first, from + at, planes, pixels, to + at, to_factor + first);
    });
    return {dx, df};
  }
};

arch::Shape planes_of(const at::Tensor& x) { return {x.size(1), x.size(2), x.size(3)}; }

// Values, and the taps they came from.
std::pair<at::Tensor, at::Tensor> run_max_pool(const arch::MaxPool& op, const at::Tensor& x) {
  const arch::Shape in = planes_of(x), out = arch::node_cost("max_pool", op, {in}).shape;
  at::Tensor y = at::empty({x.size(0), out.c, out.h, out.w}, x.options());
  at::Tensor taps = at::empty(y.sizes(), x.options().dtype(at::kInt));
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  int32_t* to_taps = taps.mutable_data_ptr<int32_t>();
  for_planes(x.size(0) * in.c, in.h * in.w, [&](int64_t first, int64_t planes) {
    const int64_t at = first * out.h * out.w;
    max_pool_forward(op, in, out, from + first * in.h * in.w, planes, to + at, to_taps + at);
  });
  return {y, taps};
}

struct MaxPool : torch::autograd::Function<MaxPool> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const arch::MaxPool& op) {
    const auto [y, taps] = run_max_pool(op, x);
    context->save_for_backward({taps});
    const arch::Shape in = planes_of(x);
    context->saved_data["window"] =
        std::vector<int64_t>{in.h,        in.w,       op.kernel.h,   op.kernel.w, op.stride.h,
                             op.stride.w, op.pad.top, op.pad.bottom, op.pad.left, op.pad.right};
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto w = context->saved_data["window"].toIntVector();
    const auto at = [&](size_t i) { return static_cast<int>(w[i]); };
    const arch::MaxPool op{{at(2), at(3)}, {at(4), at(5)}, {at(6), at(7), at(8), at(9)}};
    const at::Tensor dy = gradients[0].contiguous(), taps = context->get_saved_variables()[0];
    const arch::Shape out = planes_of(dy), in{out.c, w[0], w[1]};
    at::Tensor dx = at::empty({dy.size(0), in.c, in.h, in.w}, dy.options());
    const float* from = dy.const_data_ptr<float>();
    const int32_t* from_taps = taps.const_data_ptr<int32_t>();
    float* to = dx.mutable_data_ptr<float>();
    for_planes(dy.size(0) * in.c, in.h * in.w, [&](int64_t first, int64_t planes) {
      const int64_t at = first * out.h * out.w;
      max_pool_backward(op, in, out, from + at, from_taps + at, planes, to + first * in.h * in.w);
    });
    return {dx, {}};
  }
};

// y[i] = x[floor(i * in / out)]: integers, as a float scale is off by one at some sizes.
std::vector<int32_t> nearest(int64_t in, int64_t out) {
  std::vector<int32_t> from;
  for (int64_t i = 0; i < out; ++i) from.push_back(static_cast<int32_t>(i * in / out));
  return from;
}

at::Tensor run_upsample(const at::Tensor& x, int64_t height, int64_t width) {
  const int64_t h = x.size(2), w = x.size(3);
  const auto rows = nearest(h, height), columns = nearest(w, width);
  at::Tensor y = at::empty({x.size(0), x.size(1), height, width}, x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  for_planes(x.size(0) * x.size(1), height * width, [&](int64_t first, int64_t planes) {
    upsample_forward(from + first * h * w, planes, h, w, rows, columns, to + first * height * width);
  });
  return y;
}

struct Upsample : torch::autograd::Function<Upsample> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, int64_t height,
                            int64_t width) {
    keep_plane_size(context, x);
    return run_upsample(x, height, width);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto rows = nearest(context->saved_data["h"].toInt(), gradients[0].size(2));
    const auto columns = nearest(context->saved_data["w"].toInt(), gradients[0].size(3));
    const auto backward = [&](const float* dy, int64_t planes, int64_t h, int64_t w, float* dx) {
      upsample_backward(dy, planes, h, w, rows, columns, dx);
    };
    return {gradient_of_planes(context, gradients[0], backward), {}, {}};
  }
};

}  // namespace

at::Tensor convolution(const ConvPlan& g, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const at::Tensor dense = x.contiguous();
  if (!at::GradMode::is_enabled()) return run_forward(*g, dense, weight, bias);
  return Convolution::apply(dense, weight, bias.defined() ? std::optional(bias) : std::nullopt, g);
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const at::Tensor dense = x.contiguous(), rows = weight.contiguous();
  if (!at::GradMode::is_enabled()) return run_linear(dense, rows, bias);
  return Linear::apply(dense, rows, bias.defined() ? std::optional(bias) : std::nullopt);
}

at::Tensor halve(const at::Tensor& x) {
  const at::Tensor dense = x.contiguous();
  return at::GradMode::is_enabled() ? Halve::apply(dense) : run_halve(dense);
}

at::Tensor plane_means(const at::Tensor& x) {
  const at::Tensor dense = x.contiguous();
  return at::GradMode::is_enabled() ? PlaneMeans::apply(dense) : run_means(dense);
}

at::Tensor scale_planes(const at::Tensor& x, const at::Tensor& factor) {
  const at::Tensor dense = x.contiguous(), factors = factor.contiguous();
  return at::GradMode::is_enabled() ? ScalePlanes::apply(dense, factors) : run_scale(dense, factors);
}

at::Tensor max_pool(const arch::MaxPool& op, const at::Tensor& x) {
  const at::Tensor dense = x.contiguous();
  return at::GradMode::is_enabled() ? MaxPool::apply(dense, op) : run_max_pool(op, dense).first;
}

at::Tensor upsample(const arch::Upsample& op, const at::Tensor& x) {
  const at::Tensor dense = x.contiguous();
  return at::GradMode::is_enabled() ? Upsample::apply(dense, int64_t{op.size.h}, int64_t{op.size.w})
                                    : run_upsample(dense, op.size.h, op.size.w);
}

}  // namespace condenser::nn
