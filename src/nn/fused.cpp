// Batch norm + join + activation as one autograd function over planes of floats on the CPU. The loops are in
// fused_kernels.cpp; here are batch statistics, threads and gradients.
//
// Backward of batch norm with batch statistics over m values per channel, x^ = (x - mean) * invstd:
//   dx = gamma * invstd * (dz - sum(dz) / m - x^ * sum(dz * x^) / m);  with running statistics dx = gamma * invstd *
//   dz.
#include "nn/fused.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <vector>

#include "condenser/core/team.hpp"

namespace condenser::nn {
namespace {

using Floats = std::vector<float>;

constexpr int64_t kChunkFloats =
    16384;  // work handed to a thread at once; fixed, so that sums do not depend on threads

struct Geometry {
  int64_t images = 0, channels = 0, pixels = 0, chunk = 0, chunks = 0;  // chunk: images
  explicit Geometry(const at::Tensor& x) : images(x.size(0)), channels(x.size(1)), pixels(x.size(2) * x.size(3)) {
    chunk = std::max<int64_t>(1, kChunkFloats / (channels * pixels));
    chunks = (images + chunk - 1) / chunk;
  }
  int64_t values_per_channel() const { return images * pixels; }
};

// Calls body(chunk, offset in floats, shape) for each chunk of images.
template <class Body>
void for_chunks(const Geometry& g, const Body& body) {
  core::for_parts(g.images, g.chunk, [&](int64_t first, int64_t images) {
    body(first / g.chunk, first * g.channels * g.pixels, PlaneShape{images, g.channels, g.pixels});
  });
}

// Adds up accumulator `which` of `per_chunk` in each chunk, in order.
std::vector<double> reduce(const Geometry& g, const Floats& partial, int64_t per_chunk, int64_t which) {
  std::vector<double> out(static_cast<size_t>(g.channels), 0.0);
  for (int64_t i = 0; i < g.chunks; ++i)
    for (int64_t c = 0; c < g.channels; ++c) out[c] += partial[(i * per_chunk + which) * g.channels + c];
  return out;
}

bool shared(const SumOverRanks* over_ranks) { return over_ranks != nullptr && *over_ranks; }

// Sums over m values x - pivot per channel and over their squares.
struct Moments {
  std::vector<double> pivot, sums, squares;
  double m = 0;
};

// From this rank's to those of all. Pivots differ between ranks, so they are taken out first; doubles hold the squares
// of floats with room to spare.
void add_up(Moments& moments, const SumOverRanks& over_ranks) {
  const size_t channels = moments.sums.size();
  std::vector<double> all(2 * channels + 1, moments.m);
  for (size_t c = 0; c < channels; ++c) {
    const double pivot = moments.pivot[c], sum = moments.sums[c];
    all[c] = sum + moments.m * pivot;
    all[channels + c] = moments.squares[c] + pivot * (2 * sum + moments.m * pivot);
  }
  over_ranks(all);
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(channels);
  moments.pivot.assign(channels, 0.0);
  moments.sums.assign(all.begin(), middle);
  moments.squares.assign(middle, all.end() - 1);
  moments.m = all.back();
}

// mean and 1/sqrt(var + eps) of one input, from the batch (updating the running statistics) or from the running ones.
struct Statistics {
  Floats mean, invstd;
};

Statistics batch_statistics(const FusedInput& in, const Geometry& g, const SumOverRanks* over_ranks) {
  const float* x = in.x.const_data_ptr<float>();
  Floats pivot(static_cast<size_t>(g.channels));  // the first pixels: they keep the sums of squares small
  for (int64_t c = 0; c < g.channels; ++c) pivot[c] = x[c * g.pixels];
  Floats partial(static_cast<size_t>(g.chunks * 2 * g.channels), 0.0f);
  for_chunks(g, [&](int64_t i, int64_t offset, const PlaneShape& shape) {
    float* sums = partial.data() + i * 2 * g.channels;
    moments(x + offset, shape, pivot.data(), sums, sums + g.channels);
  });
  Moments all{{pivot.begin(), pivot.end()},
              reduce(g, partial, 2, 0),
              reduce(g, partial, 2, 1),
              static_cast<double>(g.values_per_channel())};
  if (shared(over_ranks)) add_up(all, *over_ranks);
  Statistics out{Floats(g.channels), Floats(g.channels)};
  float* running_mean = in.running_mean.mutable_data_ptr<float>();
  float* running_var = in.running_var.mutable_data_ptr<float>();
  const double m = all.m;
  for (int64_t c = 0; c < g.channels; ++c) {
    const double shifted = all.sums[c] / m;
    const double mean = all.pivot[c] + shifted;
    const double var = std::max(0.0, all.squares[c] / m - shifted * shifted);
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

// Per channel; plain inputs get scale 1 and shift 0.
struct Coefficients {
  Floats scale, shift, center;
  PlaneOperand at(const float* x, int64_t offset) const {
    return {x + offset, scale.data(), shift.data(), center.data()};
  }
};

struct Operand {
  at::Tensor x, gamma, beta;
  std::optional<Statistics> stats;
  bool given() const { return x.defined(); }

  Coefficients coefficients(const Geometry& g) const {
    const auto n = static_cast<size_t>(g.channels);
    Coefficients out{Floats(n, 1.0f), Floats(n, 0.0f), Floats(n, 0.0f)};
    if (!stats) return out;
    for (size_t c = 0; c < n; ++c) {
      out.scale[c] = gamma.const_data_ptr<float>()[c] * stats->invstd[c];
      out.shift[c] = beta.const_data_ptr<float>()[c] - stats->mean[c] * out.scale[c];
      out.center[c] = stats->mean[c];
    }
    return out;
  }
};

Operand prepare(FusedInput in, bool training, const SumOverRanks* over_ranks) {
  in.x = in.x.contiguous();
  Operand out{in.x, in.gamma, in.beta, std::nullopt};
  if (in.gamma.defined()) {
    const Geometry g(in.x);
    out.stats = training ? batch_statistics(in, g, over_ranks) : running_statistics(in, g);
  }
  return out;
}

at::Tensor run_forward(Join join, Squash squash, const Operand& a, const Operand& b) {
  const Geometry g(a.x);
  at::Tensor y = at::empty(a.x.sizes(), a.x.options());
  const Coefficients ca = a.coefficients(g);
  const Coefficients cb = b.given() ? b.coefficients(g) : Coefficients{};
  const float* xa = a.x.const_data_ptr<float>();
  const float* xb = b.given() ? b.x.const_data_ptr<float>() : nullptr;
  float* out = y.mutable_data_ptr<float>();
  for_chunks(g, [&](int64_t, int64_t offset, const PlaneShape& shape) {
    switch (join) {
      case Join::None: squash_forward(squash, ca.at(xa, offset), shape, out + offset); break;
      case Join::Add: add_forward(squash, ca.at(xa, offset), cb.at(xb, offset), shape, out + offset); break;
      case Join::Gate: {
        Floats scratch(static_cast<size_t>(g.channels * kGateBlock));
        gate_forward(squash, ca.at(xa, offset), cb.at(xb, offset), shape, scratch.data(), out + offset);
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
                       const SumOverRanks* over_ranks, const std::vector<double>& sums,
                       const std::vector<double>& products) {
  if (!in.stats) return {dz, {}, {}};
  // gamma and beta get this rank's part, x the slope through the statistics of all: sums, products, m.
  std::vector<double> all(sums);
  all.insert(all.end(), products.begin(), products.end());
  all.push_back(static_cast<double>(g.values_per_channel()));
  if (training && shared(over_ranks)) (*over_ranks)(all);
  const double* all_sums = all.data();
  const double* all_products = all_sums + g.channels;
  const double m = all.back();
  OperandGradient out{in_place ? dz : at::empty_like(dz), at::empty_like(in.gamma), at::empty_like(in.beta)};
  const float* gamma = in.gamma.const_data_ptr<float>();
  Floats p(g.channels), q(g.channels, 0.0f), r(g.channels, 0.0f);
  for (int64_t c = 0; c < g.channels; ++c) {
    const double invstd = in.stats->invstd[c];
    out.gamma.mutable_data_ptr<float>()[c] = static_cast<float>(products[c] * invstd);  // sum(dz * x^)
    out.beta.mutable_data_ptr<float>()[c] = static_cast<float>(sums[c]);
    const double scale = gamma[c] * invstd;
    p[c] = static_cast<float>(scale);
    if (!training) continue;
    const double slope = -scale * invstd * (all_products[c] * invstd) / m;
    q[c] = static_cast<float>(slope);
    r[c] = static_cast<float>(-scale * all_sums[c] / m - slope * in.stats->mean[c]);
  }
  const float* from = dz.const_data_ptr<float>();
  const float* x = in.x.const_data_ptr<float>();
  float* to = out.x.mutable_data_ptr<float>();
  for_chunks(g, [&](int64_t, int64_t offset, const PlaneShape& shape) {
    affine(from + offset, x + offset, shape, p.data(), q.data(), r.data(), to + offset);
  });
  return out;
}

std::pair<OperandGradient, OperandGradient> run_backward(Join join, Squash squash, const Operand& a, const Operand& b,
                                                         const at::Tensor& gradient, bool training,
                                                         const SumOverRanks* over_ranks) {
  const Geometry g(a.x);
  const at::Tensor dy_tensor = gradient.contiguous();
  at::Tensor dza = at::empty(a.x.sizes(), a.x.options());
  at::Tensor dzb = join == Join::Gate ? at::empty_like(dza) : dza;
  const Coefficients ca = a.coefficients(g);
  const Coefficients cb = b.given() ? b.coefficients(g) : Coefficients{};
  const float* xa = a.x.const_data_ptr<float>();
  const float* xb = b.given() ? b.x.const_data_ptr<float>() : nullptr;
  const float* dy = dy_tensor.const_data_ptr<float>();
  float* to_a = dza.mutable_data_ptr<float>();
  float* to_b = dzb.mutable_data_ptr<float>();
  constexpr int64_t kSums = 4;  // sums a, products a, sums b, products b
  Floats partial(static_cast<size_t>(g.chunks * kSums * g.channels), 0.0f);
  for_chunks(g, [&](int64_t i, int64_t offset, const PlaneShape& shape) {
    float* sum = partial.data() + i * kSums * g.channels;
    const PlaneSums sums_a{sum, sum + g.channels};
    const PlaneSums sums_b{sum + 2 * g.channels, sum + 3 * g.channels};
    switch (join) {
      case Join::None: squash_backward(squash, ca.at(xa, offset), dy + offset, shape, to_a + offset, sums_a); break;
      case Join::Add:
        add_backward(squash, ca.at(xa, offset), cb.at(xb, offset), dy + offset, shape, to_a + offset, sums_a,
                     sums_b.products);
        break;
      case Join::Gate: {
        Floats scratch(static_cast<size_t>(g.channels * kGateBlock));
        gate_backward(squash, ca.at(xa, offset), cb.at(xb, offset), dy + offset, shape, scratch.data(), to_a + offset,
                      to_b + offset, sums_a, sums_b);
        break;
      }
    }
  });
  const auto sum = [&](int64_t which) { return reduce(g, partial, kSums, which); };
  std::pair<OperandGradient, OperandGradient> out;
  // A sum shares dz between its operands: b first, out of place.
  if (join != Join::None)
    out.second = finish(b, g, dzb, join == Join::Gate, training, over_ranks, sum(join == Join::Add ? 0 : 2), sum(3));
  out.first = finish(a, g, dza, join != Join::Add || b.stats.has_value(), training, over_ranks, sum(0), sum(1));
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
                            const Optional& /*gamma_a*/, const Optional& /*beta_a*/, const Optional& /*xb*/,
                            const Optional& /*gamma_b*/, const Optional& /*beta_b*/, const FusedInput* a,
                            const FusedInput* b, Join join, Squash squash, bool training,
                            const SumOverRanks* over_ranks) {
    const Operand oa = prepare(*a, training, over_ranks);
    const Operand ob = b != nullptr ? prepare(*b, training, over_ranks) : Operand{};
    context->save_for_backward({oa.x, oa.gamma, oa.beta, pack(oa.stats), ob.x, ob.gamma, ob.beta, pack(ob.stats)});
    context->saved_data["join"] = static_cast<int64_t>(join);
    context->saved_data["squash"] = static_cast<int64_t>(squash);
    context->saved_data["training"] = training;
    context->saved_data["over_ranks"] = reinterpret_cast<int64_t>(over_ranks);
    return run_forward(join, squash, oa, ob);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Operand a{saved[0], saved[1], saved[2], unpack(saved[3])};
    const Operand b{saved[4], saved[5], saved[6], unpack(saved[7])};
    const auto [da, db] =
        run_backward(static_cast<Join>(context->saved_data["join"].toInt()),
                     static_cast<Squash>(context->saved_data["squash"].toInt()), a, b, gradients[0],
                     context->saved_data["training"].toBool(),
                     reinterpret_cast<const SumOverRanks*>(context->saved_data["over_ranks"].toInt()));
    return {da.x, da.gamma, da.beta, db.x, db.gamma, db.beta, {}, {}, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor fused_norm(Join join, Squash squash, const FusedInput& a, const std::optional<FusedInput>& b, bool training,
                      const SumOverRanks* over_ranks) {
  if (!at::GradMode::is_enabled())
    return run_forward(join, squash, prepare(a, training, over_ranks),
                       b ? prepare(*b, training, over_ranks) : Operand{});
  const FusedInput* second = b ? &*b : nullptr;
  const auto given = [](const at::Tensor& t) { return t.defined() ? std::optional(t) : std::nullopt; };
  const FusedInput& o = b ? *b : FusedInput{};
  return FusedNorm::apply(a.x, given(a.gamma), given(a.beta), given(o.x), given(o.gamma), given(o.beta), &a, second,
                          join, squash, training, over_ranks);
}

}  // namespace condenser::nn
