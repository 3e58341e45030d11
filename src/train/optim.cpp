// SGD with Nesterov momentum, AdamW (Loshchilov and Hutter, arXiv 1711.05101), cosine schedule, moving average.
#include "train/optim.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace condenser::train {
namespace {

void sgd(float lr, float momentum, float decay, int64_t n, float* __restrict value, float* __restrict gradient,
         float* __restrict velocity) {
  for (int64_t i = 0; i < n; ++i) {
    const float g = gradient[i] + decay * value[i];
    const float v = momentum * velocity[i] + g;
    velocity[i] = v;
    value[i] -= lr * (g + momentum * v);
    gradient[i] = 0.0f;
  }
}

struct AdamCoefficients {
  float lr, beta1, beta2, eps, decay;
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
    value[i] = value[i] * (1 - k.lr * k.decay) - k.lr * (m * k.first_scale) / (std::sqrt(v * k.second_scale) + k.eps);
    gradient[i] = 0.0f;
  }
}

}  // namespace

OptimizerState optimizer_state(const TrainOptions& options, const nn::BlockLayout& layout) {
  OptimizerState state;
  state.first.assign(static_cast<size_t>(layout.trainable_size), 0.0f);
  if (options.optimizer == "adamw") state.second = state.first;
  return state;
}

void optimizer_step(const TrainOptions& options, const nn::BlockLayout& layout, double lr, std::span<float> values,
                    std::span<float> gradients, OptimizerState& state) {
  ++state.steps;
  constexpr double kBeta2 = 0.999, kEps = 1e-8;
  const double t = static_cast<double>(state.steps);
  const bool adam = options.optimizer == "adamw";
  for (const auto& segment : layout.segments) {
    if (!segment.trainable) continue;
    const double decay = segment.decay ? options.weight_decay : 0.0;
    float* value = values.data() + segment.offset;
    float* gradient = gradients.data() + segment.offset;
    float* first = state.first.data() + segment.offset;
    if (adam) {
      const AdamCoefficients k{.lr = static_cast<float>(lr),
                               .beta1 = static_cast<float>(options.momentum),
                               .beta2 = static_cast<float>(kBeta2),
                               .eps = static_cast<float>(kEps),
                               .decay = static_cast<float>(decay),
                               .first_scale = static_cast<float>(1 / (1 - std::pow(options.momentum, t))),
                               .second_scale = static_cast<float>(1 / (1 - std::pow(kBeta2, t)))};
      adamw(k, segment.size, value, gradient, first, state.second.data() + segment.offset);
    } else {
      sgd(static_cast<float>(lr), static_cast<float>(options.momentum), static_cast<float>(decay), segment.size, value,
          gradient, first);
    }
  }
}

double learning_rate(const TrainOptions& options, int64_t step, int64_t steps_per_epoch) {
  const auto total = static_cast<double>(options.epochs * steps_per_epoch);
  const double warmup = std::min(total, std::floor(options.warmup_epochs * static_cast<double>(steps_per_epoch)));
  const auto s = static_cast<double>(step);
  if (s < warmup) return options.lr * (s + 1) / warmup;
  return options.lr * 0.5 * (1 + std::cos(std::numbers::pi * (s - warmup) / std::max(1.0, total - warmup)));
}

void update_average(double decay, int64_t step, std::span<const float> values, std::span<float> average) {
  const auto s = static_cast<double>(step);
  const auto keep = static_cast<float>(std::min(decay, (1 + s) / (10 + s)));
  for (size_t i = 0; i < average.size(); ++i) average[i] = keep * average[i] + (1 - keep) * values[i];
}

}  // namespace condenser::train
