// Smaller inputs: which, the network for them, and the pictures.
#include "train/resize.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/weights.hpp"

namespace condenser::train {
namespace {

// Shares of the source pixels under each output pixel, along one axis.
struct Axis {
  struct Tap {
    int64_t from;
    float share;
  };
  std::vector<std::vector<Tap>> taps;

  Axis(int64_t from, int64_t to) : taps(static_cast<size_t>(to)) {
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    for (int64_t i = 0; i < to; ++i) {
      const double begin = static_cast<double>(i) * scale, end = static_cast<double>(i + 1) * scale;
      for (auto k = static_cast<int64_t>(begin); k < from && static_cast<double>(k) < end; ++k) {
        const double covered = std::min(end, static_cast<double>(k + 1)) - std::max(begin, static_cast<double>(k));
        if (covered > 1e-9) taps[static_cast<size_t>(i)].push_back({k, static_cast<float>(covered / scale)});
      }
    }
  }
};

}  // namespace

arch::Shape input_in_epoch(const ResizeOptions& o, const arch::Shape& full, int64_t epoch) {
  if (epoch >= o.epochs) return full;
  return input_of_size(full, o.sizes[static_cast<size_t>(epoch * static_cast<int64_t>(o.sizes.size()) / o.epochs)]);
}

arch::Shape input_of_size(const arch::Shape& full, int side) {
  const double scale = static_cast<double>(side) / static_cast<double>(std::min(full.h, full.w));
  const auto scaled = [&](int64_t extent) { return std::lround(scale * static_cast<double>(extent)); };
  return {full.c, scaled(full.h), scaled(full.w)};
}

arch::Spec at_input(const arch::Spec& spec, const arch::Shape& input) {
  const std::string size = std::to_string(std::min(input.h, input.w));
  if (input.h > spec.input.h || input.w > spec.input.w)
    throw core::ConfigError("train.resize.sizes has " + size + "; expected less than the network's input " +
                            arch::to_string(spec.input));
  arch::Spec smaller = spec;
  smaller.input = input;
  const auto same = [](const arch::ParamInfo& a, const arch::ParamInfo& b) {
    return a.name == b.name && a.shape == b.shape;
  };
  try {
    const auto here = arch::parameters(smaller), there = arch::parameters(spec);
    const bool output = arch::sole_output_shape(smaller, "training") == arch::sole_output_shape(spec, "training");
    if (output && std::equal(here.begin(), here.end(), there.begin(), there.end(), same)) return smaller;
  } catch (const core::Error& error) {
    throw core::ConfigError("train.resize.sizes has " + size + ", at which network " + spec.name +
                            " does not work: " + error.what());
  }
  throw core::ConfigError("train.resize.sizes has " + size + ", at which network " + spec.name +
                          " has parameters or an output of other shapes; expected one with global pooling");
}

void shrink(data::Batch& batch, const arch::Shape& from, const arch::Shape& to) {
  if (from == to) return;
  const Axis rows(from.h, to.h), columns(from.w, to.w);
  const int64_t planes = batch.size * from.c;
  std::vector<float> out(static_cast<size_t>(planes * to.h * to.w)), row(static_cast<size_t>(from.w));
  float* write = out.data();
  for (int64_t p = 0; p < planes; ++p) {
    const float* plane = batch.x.data() + p * from.h * from.w;
    for (const auto& tall : rows.taps) {
      std::fill(row.begin(), row.end(), 0.0f);
      for (const auto& [y, share] : tall)
        for (int64_t x = 0; x < from.w; ++x) row[static_cast<size_t>(x)] += share * plane[y * from.w + x];
      for (const auto& wide : columns.taps) {
        float sum = 0;
        for (const auto& [x, share] : wide) sum += share * row[static_cast<size_t>(x)];
        *write++ = sum;
      }
    }
  }
  batch.x = std::move(out);
}

}  // namespace condenser::train
