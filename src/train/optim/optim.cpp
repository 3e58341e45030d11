// SGD with Nesterov momentum, AdamW (Loshchilov and Hutter, arXiv 1711.05101), Lion (Chen et al., arXiv 2302.06675),
// Muon (muon.cpp), clipping, moving average.
#include "train/optim/optim.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "condenser/core/team.hpp"
#include "condenser/core/text.hpp"
#include "train/optim/muon.hpp"

namespace condenser::train {
namespace {

// `in_gradient`: decay as a part of the gradient; `keep`: decoupled, factor on the value.
struct SgdCoefficients {
  float lr, momentum, in_gradient, keep;
};

void sgd(const SgdCoefficients& k, int64_t n, float* __restrict value, float* __restrict gradient,
         float* __restrict velocity) {
  for (int64_t i = 0; i < n; ++i) {
    const float g = gradient[i] + k.in_gradient * value[i];
    const float v = k.momentum * velocity[i] + g;
    velocity[i] = v;
    value[i] = k.keep * value[i] - k.lr * (g + k.momentum * v);
    gradient[i] = 0.0f;
  }
}

struct AdamCoefficients {
  float lr, beta1, beta2, eps, keep;
  float first_scale, second_scale;  // 1 / (1 - beta^t)
};

void adamw(const AdamCoefficients& k, int64_t n, float* __restrict value, float* __restrict gradient,
           float* __restrict first, float* __restrict second) {
  for (int64_t i = 0; i < n; ++i) {
    const float g = gradient[i];
    const float m = k.beta1 * first[i] + (1 - k.beta1) * g;
    const float v = k.beta2 * second[i] + (1 - k.beta2) * g * g;
    first[i] = m;
    second[i] = v;
    value[i] = value[i] * k.keep - k.lr * (m * k.first_scale) / (std::sqrt(v * k.second_scale) + k.eps);
    gradient[i] = 0.0f;
  }
}

struct LionCoefficients {
  float lr, beta1, beta2, keep;
};

void lion(const LionCoefficients& k, int64_t n, float* __restrict value, float* __restrict gradient,
          float* __restrict first) {
  for (int64_t i = 0; i < n; ++i) {
    const float g = gradient[i], direction = k.beta1 * first[i] + (1 - k.beta1) * g;
    const float sign = static_cast<float>(direction > 0) - static_cast<float>(direction < 0);
    value[i] = value[i] * k.keep - k.lr * sign;
    first[i] = k.beta2 * first[i] + (1 - k.beta2) * g;
    gradient[i] = 0.0f;
  }
}

void sgd_step(const HostStep& s) {
  sgd({s.rate, s.momentum, s.decay, 1.0f}, s.segment.size, s.value, s.gradient, s.first);
}

void sgdw_step(const HostStep& s) {
  sgd({s.rate, s.momentum, 0.0f, s.keep}, s.segment.size, s.value, s.gradient, s.first);
}

void adamw_step(const HostStep& s) {
  const AdamCoefficients k{.lr = s.rate,
                           .beta1 = s.momentum,
                           .beta2 = static_cast<float>(kAdamBeta2),
                           .eps = static_cast<float>(kAdamEps),
                           .keep = s.keep,
                           .first_scale = s.first_scale,
                           .second_scale = s.second_scale};
  adamw(k, s.segment.size, s.value, s.gradient, s.first, s.second);
}

void lion_step(const HostStep& s) {
  lion({s.rate, s.momentum, static_cast<float>(kLionBeta2), s.keep}, s.segment.size, s.value, s.gradient, s.first);
}

void muon_step(const HostStep& s) {
  if (!s.matrix) return adamw_step(s);
  muon({s.rate, s.momentum, s.keep}, s.segment, s.value, s.gradient, s.first);
}

}  // namespace

const std::vector<Optimizer>& optimizers() {
  static const std::vector<Optimizer> table{
      {"sgd", "Nesterov momentum, decay in the gradient", 1, sgd_step},
      {"sgdw", "sgd with decoupled decay", 1, sgdw_step},
      {"adamw", "by first and second moment, decoupled decay", 2, adamw_step},
      {"lion", "by the sign of the momentum, decoupled decay", 1, lion_step},
      {"muon", "kernels by orthogonalized momentum, the rest by adamw", 2, muon_step},
  };
  return table;
}

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const Optimizer& row : optimizers()) names.emplace_back(row.name);
  return names;
}

std::string optimizers_about() {
  std::vector<std::string> rows;
  for (const Optimizer& row : optimizers()) rows.push_back(std::string(row.name) + ": " + row.about);
  return core::join(rows, "; ");
}

const Optimizer& find_optimizer(const std::string& name) {
  for (const Optimizer& row : optimizers())
    if (row.name == name) return row;
  throw core::ConfigError("optimizer " + core::printable(name) + "; expected one of " + core::join(optimizer_names()));
}

const nn::Segment* head_of(const nn::BlockLayout& layout) {
  const nn::Segment* head = nullptr;
  for (const auto& segment : layout.segments)
    if (segment.decay) head = &segment;
  return head;
}

double average_keeps(double decay, int64_t step) {
  const auto s = static_cast<double>(step);
  return std::min(decay, (1 + s) / (10 + s));
}

OptimizerState optimizer_state(const TrainOptions& options, const nn::BlockLayout& layout) {
  OptimizerState state;
  state.first.assign(static_cast<size_t>(layout.trainable_size), 0.0f);
  if (find_optimizer(options.optimizer).moments == 2) state.second = state.first;
  return state;
}

std::vector<nn::Segment> frozen_segments(const TrainOptions& options, const nn::BlockLayout& layout) {
  std::vector<nn::Segment> frozen;
  for (const auto& prefix : options.freeze) {
    const auto count = frozen.size();
    for (const auto& segment : layout.segments)
      if (segment.name.starts_with(prefix)) frozen.push_back(segment);
    if (frozen.size() == count)
      throw core::ConfigError("train.freeze has " + prefix +
                              ", with which no parameter of the network begins; expected "
                              "the beginning of a name like " +
                              (layout.segments.empty() ? "conv.weight" : layout.segments.front().name));
  }
  return frozen;
}

nn::BlockLayout learning_layout(nn::BlockLayout layout, std::span<const nn::Segment> frozen) {
  for (auto& segment : layout.segments)
    if (std::any_of(frozen.begin(), frozen.end(), [&](const auto& f) { return f.name == segment.name; }))
      segment.trainable = false;
  return layout;
}

double clip_gradients(double max_norm, std::span<float> gradients) {
  std::array<double, 8> parts{};  // independent sums, in an order of their own
  for (size_t i = 0; i < gradients.size(); ++i) parts[i % 8] += static_cast<double>(gradients[i]) * gradients[i];
  double sum = 0;
  for (const double part : parts) sum += part;
  const double norm = std::sqrt(sum);
  if (norm <= max_norm) return norm;
  const auto scale = static_cast<float>(max_norm / norm);
  for (float& g : gradients) g *= scale;
  return norm;
}

void optimizer_step(const TrainOptions& options, const nn::BlockLayout& layout, double lr, std::span<float> values,
                    std::span<float> gradients, OptimizerState& state) {
  ++state.steps;
  const double t = static_cast<double>(state.steps);
  const Optimizer& optimizer = find_optimizer(options.optimizer);
  const nn::Segment* head = head_of(layout);
  core::Team::instance().run(static_cast<int64_t>(layout.segments.size()), [&](int64_t i) {
    const auto& segment = layout.segments[static_cast<size_t>(i)];
    if (!segment.trainable) return;
    const auto rate = static_cast<float>(lr), decay = static_cast<float>(segment.decay ? options.weight_decay : 0.0);
    optimizer.host({.segment = segment,
                    .matrix = segment.decay && &segment != head,
                    .rate = rate,
                    .momentum = static_cast<float>(options.momentum),
                    .decay = decay,
                    .keep = 1.0f - rate * decay,
                    .first_scale = static_cast<float>(1 / (1 - std::pow(options.momentum, t))),
                    .second_scale = static_cast<float>(1 / (1 - std::pow(kAdamBeta2, t))),
                    .value = values.data() + segment.offset,
                    .gradient = gradients.data() + segment.offset,
                    .first = state.first.data() + segment.offset,
                    .second = optimizer.moments == 2 ? state.second.data() + segment.offset : nullptr});
  });
}

void update_average(double decay, int64_t step, std::span<const float> values, std::span<float> average) {
  const auto keep = static_cast<float>(average_keeps(decay, step));
  for (size_t i = 0; i < average.size(); ++i) average[i] = keep * average[i] + (1 - keep) * values[i];
}

}  // namespace condenser::train
