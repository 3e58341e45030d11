// From a card to the card of its data at another size, in another colour, behind another front-end. Reading pixels so
// is left to formats/.
#include "condenser/data/preparation.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"
#include "data/formats/formats.hpp"

namespace condenser::data {
namespace {

constexpr double kLuma[] = {0.299, 0.587, 0.114};  // ITU-R BT.601, as pixels are brought to grey

[[noreturn]] void refuse(const Card& card, const std::string& what, const std::string& expected) {
  throw core::Error("data set " + core::printable(card.name) + ": " + what + "; expected " + expected);
}

// Of grey from those of red, green and blue.
void weigh(std::vector<double>& values) {
  double sum = 0;
  for (size_t c = 0; c < 3; ++c) sum += kLuma[c] * values[c];
  values = {sum};
}

void colour(Card& card, const std::string& wanted) {
  const int64_t channels = wanted == "grey" ? 1 : 3;
  if (card.shape.c == channels) return;
  if (card.shape.c != 1 && card.shape.c != 3)
    refuse(card, "colour = " + wanted, "pictures of 1 or 3 channels, these have " + std::to_string(card.shape.c));
  if (channels == 3 && find_format(card.format).one_shape) refuse(card, "colour = rgb", "grey: the pictures are grey");
  card.shape.c = channels;
  if (channels == 1) {
    weigh(card.normalization.mean);
    weigh(card.normalization.std);
  } else {
    card.normalization.mean.resize(3, card.normalization.mean[0]);
    card.normalization.std.resize(3, card.normalization.std[0]);
  }
}

void resize(Card& card, int64_t height) {
  const ItemShape had = card.stored.value_or(card.shape);
  if (height > had.h && find_format(card.format).one_shape)
    refuse(card, "size = " + std::to_string(height),
           "at most " + std::to_string(had.h) + ", the pictures have " + shape_text(had));
  const double width = static_cast<double>(height * had.w) / static_cast<double>(had.h);
  card.shape.h = height;
  card.shape.w = std::max<int64_t>(1, std::llround(width));
}

void prepare_pictures(Card& card, const Preparation& p) {
  if (find_format(card.format).one_shape && !card.stored) card.stored = card.shape;
  if (!p.colour.empty()) colour(card, p.colour);
  if (p.size > 0) resize(card, p.size);
}

void prepare_sounds(Card& card, const Preparation& p) {
  FeatureOptions& f = card.audio.features;
  if (p.coefficients > 0 && f.kind != "mfcc")
    refuse(card, "front_end.coefficients = " + std::to_string(p.coefficients), "0: its features are " + f.kind);
  if (p.coefficients > 0) f.coefficients = p.coefficients;
  if (p.stride_ms > 0) f.stride_ms = p.stride_ms;
  card.shape = FrontEnd(card.audio).shape();
}

}  // namespace

void read_options(core::config::Reader& reader, Preparation& p) {
  reader.integer("size", p.size, 0, 4096,
                 "height that pictures are brought to, the width in proportion; 0: as the data have it");
  std::string colour = p.colour.empty() ? "own" : p.colour;
  reader.choice("colour", colour, {"own", "grey", "rgb"}, "that pictures are brought to; own: as the data have it");
  p.colour = colour == "own" ? "" : colour;
  core::config::Reader front_end = reader.section("front_end", "of sounds, where it is not as the card says");
  front_end.integer("coefficients", p.coefficients, 0, 256, "MFCC, the first so many; 0: as the card says");
  front_end.number("stride_ms", p.stride_ms, 0, 1000, "from frame to frame; 0: as the card says");
}

Card prepare(const Card& card, const Preparation& p) {
  const bool sounds = card.format == "wav_folder", features = card.format == "features_int8";
  const bool of_pictures = p.size > 0 || !p.colour.empty(), of_sounds = p.coefficients > 0 || p.stride_ms > 0;
  if (of_pictures && (sounds || features)) refuse(card, "size or colour is chosen", "pictures, these are sounds");
  if (of_sounds && !sounds)
    refuse(card, "a front-end is chosen",
           features ? "sounds, these are features already" : "sounds, these are pictures");
  Card prepared = card;
  if (of_pictures) prepare_pictures(prepared, p);
  if (of_sounds) prepare_sounds(prepared, p);
  return prepared;
}

}  // namespace condenser::data
