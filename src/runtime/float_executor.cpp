// Float reference of every primitive operator: matrix products over im2col columns, image by image and group by group.
// Integer arithmetic and memory planning are left to the int8 executor.
#include "condenser/runtime/float_executor.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "condenser/arch/analysis.hpp"

namespace condenser::runtime {
namespace {

using arch::Shape;
using Buffer = std::vector<float>;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixView = Eigen::Map<Matrix>;
using ConstMatrixView = Eigen::Map<const Matrix>;
using Array = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ArrayView = Eigen::Map<Array>;
using ConstArrayView = Eigen::Map<const Array>;
using VectorView = Eigen::Map<Eigen::ArrayXf>;

// Output positions [begin, end) of one axis whose tap reads inside the input: 0 <= o * stride + offset < in.
struct Span1 {
  int64_t begin, end;
};
Span1 inside(int64_t in, int64_t out, int64_t stride, int64_t offset) {
  const int64_t begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const int64_t end = in <= offset ? 0 : (in - 1 - offset) / stride + 1;
  return {std::min(begin, out), std::clamp(end, std::min(begin, out), out)};
}

void apply_clamp(arch::Clamp clamp, Buffer& x) {
  VectorView v(x.data(), static_cast<Eigen::Index>(x.size()));
  switch (clamp) {
    case arch::Clamp::None: return;
    case arch::Clamp::Relu: v = v.max(0.0f); return;
    case arch::Clamp::Relu6: v = v.max(0.0f).min(6.0f); return;
  }
}

void apply_activation(arch::ActivationKind kind, Buffer& x) {
  VectorView v(x.data(), static_cast<Eigen::Index>(x.size()));
  switch (kind) {
    case arch::ActivationKind::Relu: v = v.max(0.0f); return;
    case arch::ActivationKind::Relu6: v = v.max(0.0f).min(6.0f); return;
    case arch::ActivationKind::Silu: v = v / (1.0f + (-v).exp()); return;
    case arch::ActivationKind::Sigmoid: v = 1.0f / (1.0f + (-v).exp()); return;
    case arch::ActivationKind::HardSwish: v = v * (v + 3.0f).max(0.0f).min(6.0f) / 6.0f; return;
    case arch::ActivationKind::HardSigmoid: v = (v + 3.0f).max(0.0f).min(6.0f) / 6.0f; return;
    case arch::ActivationKind::Tanh: v = v.tanh(); return;
  }
}

// One output plane per weight plane; `multiplier` output channels read the same input channel.
void depthwise_image(const arch::Conv2d& op, const Shape& in, const Shape& out, const float* x, const float* weight,
                     float* y) {
  const int64_t multiplier = out.c / in.c;
  for (int64_t o = 0; o < out.c; ++o) {
    const float* plane = x + o / multiplier * in.h * in.w;
    float* result = y + o * out.h * out.w;
    for (int ky = 0; ky < op.kernel.h; ++ky) {
      const int64_t dy = ky - op.pad.top;
      const Span1 rows = inside(in.h, out.h, op.stride.h, dy);
      for (int kx = 0; kx < op.kernel.w; ++kx) {
        const float w = weight[(o * op.kernel.h + ky) * op.kernel.w + kx];
        const int64_t dx = kx - op.pad.left;
        const Span1 columns = inside(in.w, out.w, op.stride.w, dx);
        for (int64_t oy = rows.begin; oy < rows.end; ++oy) {
          const float* from = plane + (oy * op.stride.h + dy) * in.w + dx;
          float* to = result + oy * out.w;
          for (int64_t ox = columns.begin; ox < columns.end; ++ox) to[ox] += w * from[ox * op.stride.w];
        }
      }
    }
  }
}

// columns: [channels * kernel.h * kernel.w, out.h * out.w]; taps in the padding are zero.
void im2col(const arch::Conv2d& op, const Shape& in, const Shape& out, int64_t channels, const float* x,
            float* columns) {
  for (int64_t c = 0; c < channels; ++c) {
    for (int ky = 0; ky < op.kernel.h; ++ky) {
      const int64_t dy = ky - op.pad.top;
      const Span1 rows = inside(in.h, out.h, op.stride.h, dy);
      for (int kx = 0; kx < op.kernel.w; ++kx, columns += out.h * out.w) {
        const int64_t dx = kx - op.pad.left;
        const Span1 span = inside(in.w, out.w, op.stride.w, dx);
        std::fill(columns, columns + out.h * out.w, 0.0f);
        for (int64_t oy = rows.begin; oy < rows.end; ++oy) {
          const float* from = x + (c * in.h + oy * op.stride.h + dy) * in.w + dx;
          float* to = columns + oy * out.w;
          for (int64_t ox = span.begin; ox < span.end; ++ox) to[ox] = from[ox * op.stride.w];
        }
      }
    }
  }
}

void convolve(const arch::Conv2d& op, const Shape& in, const Shape& out, int64_t n, const float* x, const float* weight,
              const float* bias, Buffer& y) {
  const int64_t pixels = out.h * out.w, in_group = in.c / op.groups, out_group = out.c / op.groups;
  const int64_t taps = in_group * op.kernel.h * op.kernel.w;
  const bool pointwise = op.kernel == arch::Size{} && op.stride == arch::Size{} && op.pad == arch::Pad{};
  const bool depthwise = arch::depthwise(op, in);
  Buffer columns(pointwise || depthwise ? 0 : static_cast<size_t>(taps * pixels));
  for (int64_t i = 0; i < n; ++i) {
    const float* image = x + i * in.elements();
    float* result = y.data() + i * out.elements();
    for (int64_t o = 0; o < out.c; ++o) std::fill_n(result + o * pixels, pixels, bias ? bias[o] : 0.0f);
    if (depthwise) {
      depthwise_image(op, in, out, image, weight, result);
      continue;
    }
    for (int64_t g = 0; g < op.groups; ++g) {
      const float* group = image + g * in_group * in.h * in.w;
      if (!pointwise) im2col(op, in, out, in_group, group, columns.data());
      ConstMatrixView w(weight + g * out_group * taps, out_group, taps);
      ConstMatrixView cols(pointwise ? group : columns.data(), taps, pixels);
      MatrixView(result + g * out_group * pixels, out_group, pixels).noalias() += w * cols;
    }
  }
}

// fold(output position, first row, end row, first column, end column) for each window, cut to the input.
template <class Pool, class Fold>
void for_each_window(const Pool& op, const Shape& in, const Shape& out, const Fold& fold) {
  for (int64_t oy = 0; oy < out.h; ++oy) {
    const int64_t top = oy * op.stride.h - op.pad.top;
    for (int64_t ox = 0; ox < out.w; ++ox) {
      const int64_t left = ox * op.stride.w - op.pad.left;
      fold(oy * out.w + ox, std::max<int64_t>(top, 0), std::min(top + op.kernel.h, in.h), std::max<int64_t>(left, 0),
           std::min(left + op.kernel.w, in.w));
    }
  }
}

void average_pool(const arch::AvgPool& op, const Shape& in, const Shape& out, int64_t planes, const float* x,
                  float* y) {
  for (int64_t p = 0; p < planes; ++p, x += in.h * in.w, y += out.h * out.w) {
    for_each_window(op, in, out, [&](int64_t at, int64_t y0, int64_t y1, int64_t x0, int64_t x1) {
      float sum = 0.0f;
      for (int64_t iy = y0; iy < y1; ++iy) {
        for (int64_t ix = x0; ix < x1; ++ix) sum += x[iy * in.w + ix];
      }
      const int64_t cells = std::max<int64_t>(y1 - y0, 0) * std::max<int64_t>(x1 - x0, 0);
      const int64_t divisor = op.count_include_pad ? int64_t{op.kernel.h} * op.kernel.w : cells;
      y[at] = divisor > 0 ? sum / static_cast<float>(divisor) : 0.0f;
    });
  }
}

void max_pool(const arch::MaxPool& op, const Shape& in, const Shape& out, int64_t planes, const float* x, float* y) {
  for (int64_t p = 0; p < planes; ++p, x += in.h * in.w, y += out.h * out.w) {
    for_each_window(op, in, out, [&](int64_t at, int64_t y0, int64_t y1, int64_t x0, int64_t x1) {
      float best = -std::numeric_limits<float>::infinity();
      for (int64_t iy = y0; iy < y1; ++iy) {
        for (int64_t ix = x0; ix < x1; ++ix) best = std::max(best, x[iy * in.w + ix]);
      }
      y[at] = best;
    });
  }
}

// Rows of `a`, each a distribution over its columns.
void softmax_rows(float rescale, ArrayView a) {
  a.colwise() -= a.rowwise().maxCoeff().eval();  // exp never overflows
  a = a.exp();
  a.colwise() *= rescale / a.rowwise().sum().eval();
}

void softmax_columns(float rescale, ArrayView a) {
  a.rowwise() -= a.colwise().maxCoeff().eval();
  a = a.exp();
  a.rowwise() *= rescale / a.colwise().sum().eval();
}

template <class SoftmaxLike>  // Softmax, SoftmaxMul
void softmax(const SoftmaxLike& op, const Shape& shape, int64_t n, Buffer& x) {
  const bool channels = op.axis == arch::SoftmaxAxis::Channels;
  const float rescale = op.rescale ? static_cast<float>(channels ? shape.c : shape.h * shape.w) : 1.0f;
  for (int64_t i = 0; i < n; ++i) {
    const ArrayView image(x.data() + i * shape.elements(), shape.c, shape.h * shape.w);
    channels ? softmax_columns(rescale, image) : softmax_rows(rescale, image);
  }
}

// Index of a border pixel mirrored into [0, extent), the edge itself not repeated; i is at most extent - 1 outside.
int64_t mirrored(int64_t i, int64_t extent) { return i < 0 ? -i : i < extent ? i : 2 * (extent - 1) - i; }

void blur_pool(const arch::BlurPool& op, const Shape& in, const Shape& out, int64_t planes, const float* x, float* y) {
  const std::vector<float> taps = op.taps == 3 ? std::vector<float>{0.25f, 0.5f, 0.25f}
                                               : std::vector<float>{0.0625f, 0.25f, 0.375f, 0.25f, 0.0625f};
  const int64_t half = op.taps / 2;
  for (int64_t p = 0; p < planes; ++p, x += in.h * in.w) {
    for (int64_t oy = 0; oy < out.h; ++oy) {
      for (int64_t ox = 0; ox < out.w; ++ox) {
        float sum = 0.0f;
        for (int64_t ky = 0; ky < op.taps; ++ky) {
          const float* row = x + mirrored(oy * op.stride.h + ky - half, in.h) * in.w;
          float across = 0.0f;
          for (int64_t kx = 0; kx < op.taps; ++kx)
            across += taps[static_cast<size_t>(kx)] * row[mirrored(ox * op.stride.w + kx - half, in.w)];
          sum += taps[static_cast<size_t>(ky)] * across;
        }
        *y++ = sum;
      }
    }
  }
}

void upsample(const Shape& in, const Shape& out, int64_t planes, const float* x, float* y) {
  for (int64_t p = 0; p < planes; ++p, x += in.h * in.w) {
    for (int64_t oy = 0; oy < out.h; ++oy) {
      const float* row = x + oy * in.h / out.h * in.w;
      for (int64_t ox = 0; ox < out.w; ++ox) *y++ = row[ox * in.w / out.w];
    }
  }
}

void batch_norm(const arch::BatchNorm& op, const Shape& shape, int64_t n, std::span<const float> weight,
                std::span<const float> bias, std::span<const float> mean, std::span<const float> variance, Buffer& x) {
  const int64_t pixels = shape.h * shape.w;
  for (int64_t p = 0; p < n * shape.c; ++p) {
    const size_t c = static_cast<size_t>(p % shape.c);
    const double scale = weight[c] / std::sqrt(static_cast<double>(variance[c]) + op.eps);
    const double shift = bias[c] - mean[c] * scale;
    VectorView v(x.data() + p * pixels, pixels);
    v = v * static_cast<float>(scale) + static_cast<float>(shift);
  }
}

// Index of the last node that reads each node; -1 for nodes that no output needs; outputs live on.
std::vector<int> last_uses(const arch::Spec& spec) {
  std::vector<int> last(spec.nodes.size(), -1);
  for (size_t k = 0; k < spec.output_count(); ++k)
    last[static_cast<size_t>(spec.output(k))] = static_cast<int>(spec.nodes.size());
  for (int i = static_cast<int>(spec.nodes.size()) - 1; i >= 0; --i) {
    if (last[static_cast<size_t>(i)] < 0) continue;
    for (int input : spec.node(i).inputs) {
      last[static_cast<size_t>(input)] = std::max(last[static_cast<size_t>(input)], i);
    }
  }
  return last;
}

// The state of one run: the live activations and how each operator makes the next one.
class Run {
 public:
  Run(const arch::Spec& spec, const arch::Weights& weights, const std::vector<Shape>& shapes,
      const std::vector<int>& last_use, int64_t n)
      : spec_(spec), weights_(weights), shapes_(shapes), last_use_(last_use), n_(n), values_(spec.nodes.size()) {}

  Buffer& evaluate(int i, std::span<const float> input) {
    node_ = i;
    Buffer& y = values_[static_cast<size_t>(i)];
    arch::visit(
        spec_.node(i).op,
        arch::Overloaded{
            [&](const arch::Input&) { y.assign(input.begin(), input.end()); },
            [&](const arch::Conv2d& op) { conv(op, y); },
            [&](const arch::BatchNorm& op) {
              y = take(0);
              batch_norm(op, shape(i), n_, param("weight"), param("bias"), param("running_mean"), param("running_var"),
                         y);
            },
            [&](const arch::Activation& op) {
              y = take(0);
              apply_activation(op.kind, y);
            },
            [&](const arch::Softmax& op) {
              y = take(0);
              softmax(op, shape(i), n_, y);
            },
            [&](const arch::SoftmaxMul& op) {
              y = source(0) == source(1) ? values_[static_cast<size_t>(source(0))] : take(0);
              softmax(op, shape(i), n_, y);
              view(y) *= view(values_[static_cast<size_t>(source(1))]);
              apply_clamp(op.clamp, y);
            },
            [&](const arch::AvgPool& op) {
              average_pool(op, shape(source(0)), shape(i), n_ * shape(i).c, in(0), fresh(y));
            },
            [&](const arch::MaxPool& op) {
              max_pool(op, shape(source(0)), shape(i), n_ * shape(i).c, in(0), fresh(y));
            },
            [&](const arch::GlobalAvgPool&) {
              const Shape& from = shape(source(0));
              fresh(y);
              VectorView(y.data(), n_ * from.c) = ConstArrayView(in(0), n_ * from.c, from.h * from.w).rowwise().mean();
            },
            [&](const arch::Linear& op) { linear(op, y); },
            [&](const arch::Add& op) {
              y = source(0) == source(1) ? values_[static_cast<size_t>(source(0))] : take(0);
              view(y) += view(values_[static_cast<size_t>(source(1))]);
              apply_clamp(op.clamp, y);
            },
            [&](const arch::Mul&) { product(y); },
            [&](const arch::PRelu&) {
              y = take(0);
              prelu(y);
            },
            [&](const arch::Scale&) {
              y = take(0);
              view(y) *= param("weight")[0];
            },
            [&](const arch::BlurPool& op) {
              blur_pool(op, shape(source(0)), shape(i), n_ * shape(i).c, in(0), fresh(y));
            },
            [&](const arch::Upsample&) { upsample(shape(source(0)), shape(i), n_ * shape(i).c, in(0), fresh(y)); },
            [&](const arch::Concat&) { concat(y); },
            [&](const arch::Slice& op) { slice(op, y); },
            [&](const arch::ChannelShuffle& op) { shuffle(op, y); },
        });
    return y;
  }

  Buffer& value(int i) { return values_[static_cast<size_t>(i)]; }

  void release_inputs() {
    for (int input : spec_.node(node_).inputs) {
      if (last_use_[static_cast<size_t>(input)] == node_) Buffer().swap(values_[static_cast<size_t>(input)]);
    }
  }

 private:
  const Shape& shape(int i) const { return shapes_[static_cast<size_t>(i)]; }
  int source(size_t k) const { return spec_.node(node_).inputs[k]; }
  const float* in(size_t k) const { return values_[static_cast<size_t>(source(k))].data(); }
  static VectorView view(Buffer& x) { return VectorView(x.data(), static_cast<Eigen::Index>(x.size())); }

  // Element-wise operators work in place: the input's buffer itself when nobody reads it later, else a copy.
  Buffer take(size_t k) {
    Buffer& from = values_[static_cast<size_t>(source(k))];
    if (last_use_[static_cast<size_t>(source(k))] == node_) return std::move(from);
    return from;
  }

  float* fresh(Buffer& y) const {
    y.resize(static_cast<size_t>(n_ * shape(node_).elements()));
    return y.data();
  }

  std::span<const float> param(const char* name) const {
    return weights_.at(spec_.node(node_).name + "." + name).f32();
  }

  void conv(const arch::Conv2d& op, Buffer& y) {
    fresh(y);
    convolve(op, shape(source(0)), shape(node_), n_, in(0), param("weight").data(),
             op.bias ? param("bias").data() : nullptr, y);
    apply_clamp(op.clamp, y);
  }

  void linear(const arch::Linear& op, Buffer& y) {
    const int64_t inputs = shape(source(0)).c;
    fresh(y);
    ConstMatrixView w(param("weight").data(), op.out, inputs);
    MatrixView result(y.data(), n_, op.out);
    result.noalias() = ConstMatrixView(in(0), n_, inputs) * w.transpose();
    if (op.bias) result.rowwise() += ConstMatrixView(param("bias").data(), 1, op.out).row(0);
    apply_clamp(op.clamp, y);
  }

  int64_t pixels() const { return shape(node_).h * shape(node_).w; }

  // Equal shapes, or one input of one pixel per channel that multiplies the whole plane of the other.
  void product(Buffer& y) {
    const bool equal = shape(source(0)) == shape(source(1));
    const size_t map = equal || shape(source(0)) == shape(node_) ? 0 : 1;
    y = source(0) == source(1) ? values_[static_cast<size_t>(source(0))] : take(map);
    Buffer& factor = values_[static_cast<size_t>(source(1 - map))];
    if (equal) {
      view(y) *= view(factor);
      return;
    }
    const int64_t planes = n_ * shape(node_).c;
    ArrayView(y.data(), planes, pixels()).colwise() *= view(factor);
  }

  void prelu(Buffer& y) const {
    const std::span<const float> slope = param("weight");
    for (int64_t p = 0; p < n_ * shape(node_).c; ++p) {
      VectorView plane(y.data() + p * pixels(), pixels());
      plane = plane.max(0.0f) + slope[static_cast<size_t>(p % shape(node_).c)] * plane.min(0.0f);
    }
  }

  void concat(Buffer& y) const {
    float* to = fresh(y);
    const size_t inputs = spec_.node(node_).inputs.size();
    for (int64_t i = 0; i < n_; ++i) {
      for (size_t k = 0; k < inputs; ++k) {
        const int64_t item = shape(source(k)).elements();
        to = std::copy_n(in(k) + i * item, item, to);
      }
    }
  }

  void slice(const arch::Slice& op, Buffer& y) const {
    float* to = fresh(y);
    const int64_t item = shape(source(0)).elements();
    for (int64_t i = 0; i < n_; ++i) to = std::copy_n(in(0) + i * item + op.begin * pixels(), op.count * pixels(), to);
  }

  void shuffle(const arch::ChannelShuffle& op, Buffer& y) const {
    float* to = fresh(y);
    const int64_t channels = shape(node_).c, per_group = channels / op.groups;
    for (int64_t i = 0; i < n_; ++i) {
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t from = c % op.groups * per_group + c / op.groups;
        to = std::copy_n(in(0) + (i * channels + from) * pixels(), pixels(), to);
      }
    }
  }

  const arch::Spec& spec_;
  const arch::Weights& weights_;
  const std::vector<Shape>& shapes_;
  const std::vector<int>& last_use_;
  int64_t n_;
  std::vector<Buffer> values_;  // [n, c, h, w] of each node while somebody still reads it
  int node_ = -1;               // being evaluated
};

}  // namespace

FloatExecutor::FloatExecutor(const arch::Spec& spec, const arch::Weights& weights) : spec_(spec), weights_(weights) {
  arch::validate(spec);
  for (const arch::NodeCost& cost : arch::analyze(spec).nodes) shapes_.push_back(cost.shape);
  arch::check_weights(spec, weights);
  last_use_ = last_uses(spec);
}

std::vector<float> FloatExecutor::run(std::span<const float> input, int64_t n, const Tap& tap) const {
  if (n < 0 || static_cast<int64_t>(input.size()) != n * spec_.input.elements()) {
    throw core::Error("float executor of " + spec_.name + ": input holds " + std::to_string(input.size()) +
                      " values; expected " + std::to_string(n) + " images of " + arch::to_string(spec_.input));
  }
  Run state(spec_, weights_, shapes_, last_use_, n);
  for (int i = 0; i < static_cast<int>(spec_.nodes.size()); ++i) {
    if (last_use_[static_cast<size_t>(i)] < 0) continue;
    Buffer& values = state.evaluate(i, input);
    if (tap) tap(i, values);
    state.release_inputs();
  }
  if (spec_.output_count() == 1) return std::move(state.value(spec_.output()));
  std::vector<float> result;
  for (size_t k = 0; k < spec_.output_count(); ++k) {
    const Buffer& values = state.value(spec_.output(k));
    result.insert(result.end(), values.begin(), values.end());
  }
  return result;
}

}  // namespace condenser::runtime
