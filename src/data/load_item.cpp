// A single file for a network: decoded, brought to the card's shape and normalized like the items of its splits.
#include "condenser/data/load_item.hpp"

#include "condenser/core/error.hpp"
#include "data/formats/formats.hpp"
#include "data/pictures.hpp"

namespace condenser::data {

std::vector<float> load_item(const Card& card, const std::filesystem::path& file) {
  if (card.format == "wav_folder") return load_sound(card, file);
  const ItemShape& shape = card.shape;
  if (shape.c != 1 && shape.c != 3) {
    throw core::Error(file.string() + ": data set " + card.name + " has items of " + shape_text(shape) +
                      "; expected 1 (grey) or 3 (RGB) channels to read a picture for it");
  }
  const Pictures one({{file.string()}, {0}, {}}, shape, {""}, card.normalization);
  std::vector<float> values(static_cast<size_t>(shape.elements()));
  one.get(0, values);
  return values;
}

}  // namespace condenser::data
