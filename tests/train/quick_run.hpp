#pragma once
// A training of a second: tiny pictures that a small network learns, and what it leaves behind.

#include <csignal>

#include "build_id.hpp"
#include "condenser/arch/blocks.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/train/backend.hpp"
#include "support/metrics_rows.hpp"

extern "C" condenser::train::Backend* condenser_torch_backend(const char* build);

namespace condenser::testing {

inline train::Backend& backend() {
  static const std::unique_ptr<train::Backend> instance(condenser_torch_backend(kBuildId));
  return *instance;
}

// 8x8: vertical stripes, horizontal stripes or none, and noise; `skew` items of the first class for each of the others.
inline std::shared_ptr<const data::Dataset> stripes(int64_t count, uint64_t seed, int skew = 1) {
  core::Rng rng(seed);
  std::vector<uint8_t> pixels;
  std::vector<int> labels;
  for (int64_t i = 0; i < count; ++i) {
    const int label = std::max(0, static_cast<int>(i % (skew + 2)) - skew + 1);
    labels.push_back(label);
    for (int y = 0; y < 8; ++y)
      for (int x = 0; x < 8; ++x) {
        const bool bright = label == 0 ? x % 2 == 0 : label == 1 && y % 2 == 0;
        pixels.push_back(static_cast<uint8_t>((bright ? 120 : 20) + rng.below(80)));
      }
  }
  return data::make_image_dataset({1, 8, 8}, {"vertical", "horizontal", "none"}, {{0.3}, {0.3}}, std::move(pixels),
                                  labels);
}

inline arch::Spec small_net(int width = 8, int classes = 3) {
  arch::Builder b("small", {1, 8, 8});
  int x = arch::conv_bn_act(b, b.input(), "stem", {.out = width});
  x = arch::column_stage(b, x, "s1", 1, {.channels = width, .columns = 2, .stride = 2, .attention = true});
  arch::classifier_head(b, x, classes);
  return b.finish();
}

inline train::TrainOptions quick() {
  train::TrainOptions o;
  o.epochs = 4;
  o.batch_size = 16;
  o.lr = 0.1;
  o.warmup_epochs = 0.5;
  o.label_smoothing = 0.05;
  o.ema_decay = 0.9;
  o.augment.shift = 1, o.augment.cutout = 2;
  o.threads = 1;
  o.seed = 5;
  return o;
}

struct QuickRun {
  arch::Spec spec = small_net();
  std::shared_ptr<const data::Dataset> train = stripes(90, 1), validation = stripes(30, 2);
  train::TrainOptions options = quick();

  train::FitResult fit(const std::filesystem::path& folder = {}, int64_t stop_at = -1) const {
    return backend().fit({.spec = spec,
                          .train = train,
                          .validation = validation,
                          .options = options,
                          .folder = folder,
                          .on_progress = [&](const train::Progress& p) {
                            if (p.step == stop_at) core::request_stop(SIGINT);
                          }});
  }
};

struct ClearStop {
  ~ClearStop() { core::request_stop(0); }
};

}  // namespace condenser::testing
