// Normalized values back to pixels; targets to words.
#include "cli/tiles.hpp"

#include <algorithm>
#include <cmath>

#include "cli/run_config.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

constexpr int kSide = 128;  // pixels that a picture should fill

int zoom(int64_t extent, int wanted) { return std::max(1, wanted / static_cast<int>(extent)); }

report::Tile audio_tile(std::span<const float> item, const data::ItemShape& shape, bool across) {
  const int64_t frames = across ? shape.w : shape.h, bands = across ? shape.h : shape.w;
  std::vector<float> turned(item.size());
  for (int64_t frame = 0; frame < frames; ++frame)
    for (int64_t k = 0; k < bands; ++k)
      turned[static_cast<size_t>((bands - 1 - k) * frames + frame)] =
          item[static_cast<size_t>(across ? k * frames + frame : frame * bands + k)];
  constexpr float kDeviations = 1.5f;  // of the whole set; the mean, which masks show, is in the middle
  const auto tile =
      report::heat_map(turned, static_cast<int>(bands), static_cast<int>(frames), -kDeviations, kDeviations);
  return report::enlarged(tile, zoom(frames, kSide), zoom(bands, kSide / 2));
}

}  // namespace

Layout layout_of(const data::Card& card) {
  if (!is_audio(card)) return Layout::Picture;
  return card.audio.features.time == "columns" ? Layout::TimeAcross : Layout::TimeDown;
}

report::Tile tile_of(std::span<const float> item, const data::Dataset& dataset, Layout layout) {
  const data::ItemShape shape = dataset.shape();
  if (layout != Layout::Picture) return audio_tile(item, shape, layout == Layout::TimeAcross);
  report::Tile tile{.width = static_cast<int>(shape.w), .height = static_cast<int>(shape.h), .rgb = {}, .caption = {}};
  const int64_t plane = shape.h * shape.w;
  tile.rgb.resize(static_cast<size_t>(plane * 3));
  for (int64_t i = 0; i < plane; ++i)
    for (int64_t c = 0; c < 3; ++c) {
      const auto channel = static_cast<size_t>(shape.c == 3 ? c : 0);
      const double value = static_cast<double>(item[channel * static_cast<size_t>(plane) + static_cast<size_t>(i)]);
      const double share = value * dataset.normalization().std[channel] + dataset.normalization().mean[channel];
      tile.rgb[static_cast<size_t>(3 * i + c)] = static_cast<uint8_t>(std::lround(255 * std::clamp(share, 0.0, 1.0)));
    }
  const int factor = zoom(std::max(shape.h, shape.w), kSide);
  return report::enlarged(tile, factor, factor);
}

std::vector<std::string> label_lines(const data::Batch& batch, int64_t i, const std::vector<std::string>& classes) {
  if (batch.t.empty()) return {classes[static_cast<size_t>(batch.y[static_cast<size_t>(i)])]};
  const auto shares = std::span(batch.t).subspan(static_cast<size_t>(i) * classes.size(), classes.size());
  std::vector<size_t> present;
  for (size_t k = 0; k < classes.size(); ++k)
    if (shares[k] > 0) present.push_back(k);
  std::stable_sort(present.begin(), present.end(), [&](size_t a, size_t b) { return shares[a] > shares[b]; });
  std::vector<std::string> lines;
  for (const size_t k : present) {
    // The share stands first: a sheet cuts a long name at its end, a number never.
    const std::string share = shares[k] < 0.995f ? core::fixed(static_cast<double>(shares[k]), 2) + " " : "";
    lines.push_back((lines.empty() ? "" : "/ ") + share + classes[k]);
  }
  return lines.empty() ? std::vector<std::string>{"none"} : lines;
}

}  // namespace condenser::cli
