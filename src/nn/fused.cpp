// Batch norm + join + activation as one autograd function over channels-last floats on the CPU. The loops are in
// fused_kernels.cpp; here are batch statistics, threads and gradients.
//
// Backward of batch norm with batch statistics over m values per channel, x^ = (x - mean) * invstd:
//   dx = gamma * invstd * (dz - sum(dz) / m - x^ * sum(dz * x^) / m);  with running statistics dx = gamma * invstd *
//   dz.
#include "nn/fused.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <vector>

namespace condenser::nn {
namespace {

using Floats = std::vector<float>;

constexpr int64_t kTileFloats = 128;  // inner loops run over at least this many floats
constexpr int64_t kChunkFloats =
    16384;  // work handed to a thread at once; fixed, so that sums do not depend on threads

struct Geometry {
  int64_t channels = 0, count = 0, tile = 0, chunk = 0, chunks = 0;
  explicit Geometry(const at::Tensor& x) : channels(x.size(1)), count(x.numel()) {
    tile = (kTileFloats + channels - 1) / channels * channels;
    chunk = (kChunkFloats + tile - 1) / tile * tile;
    chunks = (count + chunk - 1) / chunk;
  }
  int64_t rows() const { return count / channels; }
};

// Calls body(chunk, offset, count) for each chunk.
template <class Body>
void for_chunks(const Geometry& g, const Body& body) {
  at::parallel_for(0, g.chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i, i * g.chunk, std::min(g.chunk, g.count - i * g.chunk));
  });
}

Floats tiled(const Geometry& g, const float* per_channel) {
  Floats out(static_cast<size_t>(g.tile));
  for (int64_t t = 0; t < g.tile; ++t) out[t] = per_channel[t % g.channels];
  return out;
}

// Adds up one accumulator of `width` floats per chunk into one double per channel, in order.
std::vector<double> reduce(const Geometry& g, const Floats& partial, int64_t width, int64_t stride, int64_t offset) {
  std::vector<double> out(static_cast<size_t>(g.channels), 0.0);
  for (int64_t i = 0; i < g.chunks; ++i)
    for (int64_t t = 0; t < width; ++t) out[t % g.channels] += partial[i * stride + offset + t];
  return out;
}

at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

// mean and 1/sqrt(var + eps) of one input, from the batch (updating the running statistics) or from the running ones.
struct Statistics {
  Floats mean, invstd;
};

Statistics batch_statistics(const FusedInput& in, const Geometry& g) {
  const float* x = in.x.const_data_ptr<float>();
  const Floats pivot = tiled(g, x);  // the first pixel: keeps the sums of squares small
  Floats partial(static_cast<size_t>(g.chunks * 2 * g.tile), 0.0f);
  for_chunks(g, [&](int64_t i, int64_t offset, int64_t count) {
    float* sums = partial.data() + i * 2 * g.tile;
    moments(x + offset, count, g.tile, pivot.data(), sums, sums + g.tile);
  });
  const auto sums = reduce(g, partial, g.tile, 2 * g.tile, 0);
  const auto squares = reduce(g, partial, g.tile, 2 * g.tile, g.tile);
  Statistics out{Floats(g.channels), Floats(g.channels)};
  float* running_mean = in.running_mean.mutable_data_ptr<float>();
  float* running_var = in.running_var.mutable_data_ptr<float>();
  const auto m = static_cast<double>(g.rows());
  for (int64_t c = 0; c < g.channels; ++c) {
    const double shifted = sums[c] / m;
    const double mean = pivot[c] + shifted;
    const double var = std::max(0.0, squares[c] / m - shifted * shifted);
    out.mean[c] = static_cast<float>(mean);
    out.invstd[c] = static_cast<float>(1.0 / std::sqrt(var + in.eps));
    const double unbiased = m > 1 ? var * m / (m - 1) : var;
    running_mean[c] = static_cast<float>((1 - in.momentum) * running_mean[c] + in.momentum * mean);
    running_var[c] = static_cast<float>((1 - in.momentum) * running_var[c] + in.momentum * unbiased);
  }
  return out;
}

Statistics running_statistics(const FusedInput& in, const Geometry& g) {
  const float* mean = in.running_mean.const_data_ptr<float>();
  const float* var = in.running_var.const_data_ptr<float>();
  Statistics out{Floats(mean, mean + g.channels), Floats(g.channels)};
  for (int64_t c = 0; c < g.channels; ++c) out.invstd[c] = static_cast<float>(1.0 / std::sqrt(var[c] + in.eps));
  return out;
}

// The tiled coefficients of one input; plain inputs get scale 1 and shift 0.
struct Coefficients {
  Floats scale, shift, center;
  TiledOperand at(const float* x, int64_t offset) const {
    return {x + offset, scale.data(), shift.data(), center.data()};
  }
};

Coefficients coefficients(const Geometry& g, const Statistics* stats, const float* gamma, const float* beta) {
  Coefficients out{Floats(g.tile, 1.0f), Floats(g.tile, 0.0f), Floats(g.tile, 0.0f)};
  if (stats == nullptr) return out;
  for (int64_t t = 0; t < g.tile; ++t) {
    const int64_t c = t % g.channels;
    out.scale[t] = gamma[c] * stats->invstd[c];
    out.shift[t] = beta[c] - stats->mean[c] * out.scale[t];
    out.center[t] = stats->mean[c];
  }
  return out;
}

struct Operand {
  at::Tensor x, gamma, beta;
  std::optional<Statistics> stats;
  bool given() const { return x.defined(); }
  Coefficients coefficients(const Geometry& g) const {
    if (!stats) return condenser::nn::coefficients(g, nullptr, nullptr, nullptr);
    return condenser::nn::coefficients(g, &*stats, gamma.const_data_ptr<float>(), beta.const_data_ptr<float>());
  }
};

Operand prepare(FusedInput in, bool training) {
  in.x = channels_last(in.x);
  Operand out{in.x, in.gamma, in.beta, std::nullopt};
  if (in.gamma.defined()) {
    const Geometry g(in.x);
    out.stats = training ? batch_statistics(in, g) : running_statistics(in, g);
  }
  return out;
}

at::Tensor run_forward(Join join, Squash squash, const Operand& a, const Operand& b) {
  const Geometry g(a.x);
  at::Tensor y = at::empty_like(a.x, a.x.options(), at::MemoryFormat::ChannelsLast);
  const Coefficients ca = a.coefficients(g);
  const Coefficients cb = b.given() ? b.coefficients(g) : Coefficients{};
  const float* xa = a.x.const_data_ptr<float>();
  const float* xb = b.given() ? b.x.const_data_ptr<float>() : nullptr;
  float* out = y.mutable_data_ptr<float>();
  for_chunks(g, [&](int64_t, int64_t offset, int64_t count) {
    switch (join) {
      case Join::None: squash_forward(squash, ca.at(xa, offset), count, g.tile, out + offset); break;
      case Join::Add: add_forward(squash, ca.at(xa, offset), cb.at(xb, offset), count, g.tile, out + offset); break;
      case Join::Gate: {
        Floats row(static_cast<size_t>(g.channels));
        gate_forward(squash, ca.at(xa, offset), cb.at(xb, offset), count, g.channels, row.data(), out + offset);
        break;
      }
    }
  });
  return y;
}

// Gradients of one operand.
struct OperandGradient {
  at::Tensor x, gamma, beta;
};

// From dz and its sums per channel to the gradients of x, gamma and beta. `dz` may be overwritten when `in_place`.
OperandGradient finish(const Operand& in, const Geometry& g, const at::Tensor& dz, bool in_place, bool training,
                       const std::vector<double>& sums, const std::vector<double>& products) {
  if (!in.stats) return {dz, {}, {}};
  OperandGradient out{in_place ? dz : at::empty_like(dz, dz.options(), at::MemoryFormat::ChannelsLast),
                      at::empty_like(in.gamma), at::empty_like(in.beta)};
  const float* gamma = in.gamma.const_data_ptr<float>();
  Floats p(g.channels), q(g.channels, 0.0f), r(g.channels, 0.0f);
  const auto m = static_cast<double>(g.rows());
  for (int64_t c = 0; c < g.channels; ++c) {
    const double invstd = in.stats->invstd[c];
    const double d_gamma = products[c] * invstd;  // sum(dz * x^)
    out.gamma.mutable_data_ptr<float>()[c] = static_cast<float>(d_gamma);
    out.beta.mutable_data_ptr<float>()[c] = static_cast<float>(sums[c]);
    const double scale = gamma[c] * invstd;
    p[c] = static_cast<float>(scale);
    if (!training) continue;
    const double slope = -scale * invstd * d_gamma / m;
    q[c] = static_cast<float>(slope);
    r[c] = static_cast<float>(-scale * sums[c] / m - slope * in.stats->mean[c]);
  }
  const Floats tp = tiled(g, p.data()), tq = tiled(g, q.data()), tr = tiled(g, r.data());
  const float* from = dz.const_data_ptr<float>();
  const float* x = in.x.const_data_ptr<float>();
  float* to = out.x.mutable_data_ptr<float>();
  for_chunks(g, [&](int64_t, int64_t offset, int64_t count) {
    affine(from + offset, x + offset, count, g.tile, tp.data(), tq.data(), tr.data(), to + offset);
  });
  return out;
}

std::pair<OperandGradient, OperandGradient> run_backward(Join join, Squash squash, const Operand& a, const Operand& b,
                                                         const at::Tensor& gradient, bool training) {
  const Geometry g(a.x);
  const at::Tensor dy_tensor = channels_last(gradient);
  at::Tensor dza = at::empty_like(a.x, a.x.options(), at::MemoryFormat::ChannelsLast);
  at::Tensor dzb = join == Join::Gate ? at::empty_like(dza, dza.options(), at::MemoryFormat::ChannelsLast) : dza;
  const Coefficients ca = a.coefficients(g);
  const Coefficients cb = b.given() ? b.coefficients(g) : Coefficients{};
  const float* xa = a.x.const_data_ptr<float>();
  const float* xb = b.given() ? b.x.const_data_ptr<float>() : nullptr;
  const float* dy = dy_tensor.const_data_ptr<float>();
  float* to_a = dza.mutable_data_ptr<float>();
  float* to_b = dzb.mutable_data_ptr<float>();
  const int64_t width = join == Join::Gate ? g.channels : g.tile;
  const int64_t stride = 4 * width;  // sums a, products a, sums b, products b
  Floats partial(static_cast<size_t>(g.chunks * stride), 0.0f);
  for_chunks(g, [&](int64_t i, int64_t offset, int64_t count) {
    float* acc = partial.data() + i * stride;
    const TiledSums sums_a{acc, acc + width};
    const TiledSums sums_b{acc + 2 * width, acc + 3 * width};
    switch (join) {
      case Join::None:
        squash_backward(squash, ca.at(xa, offset), dy + offset, count, g.tile, to_a + offset, sums_a);
        break;
      case Join::Add:
        add_backward(squash, ca.at(xa, offset), cb.at(xb, offset), dy + offset, count, g.tile, to_a + offset, sums_a,
                     sums_b.products);
        break;
      case Join::Gate: {
        Floats rows(static_cast<size_t>(2 * g.channels));
        gate_backward(squash, ca.at(xa, offset), cb.at(xb, offset), dy + offset, count, g.channels, rows.data(),
                      to_a + offset, to_b + offset, sums_a, sums_b);
        break;
      }
    }
  });
  const auto sum = [&](int64_t block) { return reduce(g, partial, width, stride, block * width); };
  std::pair<OperandGradient, OperandGradient> out;
  // The sum needs dz for both operands: b first, out of place when it shares dz with a plain or normalized a.
  if (join != Join::None)
    out.second = finish(b, g, dzb, join == Join::Gate, training, sum(join == Join::Add ? 0 : 2), sum(3));
  out.first = finish(a, g, dza, join != Join::Add || b.stats.has_value(), training, sum(0), sum(1));
  return out;
}

at::Tensor pack(const std::optional<Statistics>& stats) {
  if (!stats) return {};
  const auto channels = static_cast<int64_t>(stats->mean.size());
  at::Tensor out = at::empty({2, channels});
  float* to = out.mutable_data_ptr<float>();
  std::copy(stats->mean.begin(), stats->mean.end(), to);
  std::copy(stats->invstd.begin(), stats->invstd.end(), to + channels);
  return out;
}

std::optional<Statistics> unpack(const at::Tensor& packed) {
  if (!packed.defined()) return std::nullopt;
  const float* from = packed.const_data_ptr<float>();
  const int64_t channels = packed.size(1);
  return Statistics{Floats(from, from + channels), Floats(from + channels, from + 2 * channels)};
}

struct FusedNorm : torch::autograd::Function<FusedNorm> {
  using Optional = std::optional<at::Tensor>;

  // The tensors that receive gradients come first; `a` and `b` hold the same tensors with the running statistics.
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& /*xa*/,
                            const at::Tensor& /*gamma_a*/, const at::Tensor& /*beta_a*/, const Optional& /*xb*/,
                            const Optional& /*gamma_b*/, const Optional& /*beta_b*/, const FusedInput* a,
                            const FusedInput* b, Join join, Squash squash, bool training) {
    const Operand oa = prepare(*a, training);
    const Operand ob = b != nullptr ? prepare(*b, training) : Operand{};
    context->save_for_backward({oa.x, oa.gamma, oa.beta, pack(oa.stats), ob.x, ob.gamma, ob.beta, pack(ob.stats)});
    context->saved_data["join"] = static_cast<int64_t>(join);
    context->saved_data["squash"] = static_cast<int64_t>(squash);
    context->saved_data["training"] = training;
    return run_forward(join, squash, oa, ob);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Operand a{saved[0], saved[1], saved[2], unpack(saved[3])};
    const Operand b{saved[4], saved[5], saved[6], unpack(saved[7])};
    const auto [da, db] = run_backward(static_cast<Join>(context->saved_data["join"].toInt()),
                                       static_cast<Squash>(context->saved_data["squash"].toInt()), a, b, gradients[0],
                                       context->saved_data["training"].toBool());
    return {da.x, da.gamma, da.beta, db.x, db.gamma, db.beta, {}, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor fused_norm(Join join, Squash squash, const FusedInput& a, const std::optional<FusedInput>& b,
                      bool training) {
  if (!at::GradMode::is_enabled())
    return run_forward(join, squash, prepare(a, training), b ? prepare(*b, training) : Operand{});
  const FusedInput* second = b ? &*b : nullptr;
  const auto given = [](const at::Tensor& t) { return t.defined() ? std::optional(t) : std::nullopt; };
  const FusedInput& o = b ? *b : FusedInput{};
  return FusedNorm::apply(a.x, a.gamma, a.beta, given(o.x), given(o.gamma), given(o.beta), &a, second, join, squash,
                          training);
}

}  // namespace condenser::nn
