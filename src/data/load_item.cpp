// A single file for a network: decoded, brought to the card's shape and normalized like the items of its splits.
#include "condenser/data/load_item.hpp"

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "data/formats/formats.hpp"
#include "data/formats/image.hpp"

namespace condenser::data {

std::vector<float> load_item(const Card& card, const std::filesystem::path& file) {
  if (card.format == "wav_folder") return load_sound(card, file);
  const ItemShape& shape = card.shape;
  if (shape.c != 1 && shape.c != 3) {
    throw core::Error(file.string() + ": data set " + card.name + " has items of " + shape_text(shape) +
                      "; expected 1 (grey) or 3 (RGB) channels to read a picture for it");
  }
  const Picture picture = decode_picture(core::read_file(file), static_cast<int>(shape.c), file);
  std::vector<uint8_t> pixels(static_cast<size_t>(shape.elements()));
  resize_to_planes(picture, static_cast<int>(shape.h), static_cast<int>(shape.w), pixels);
  std::vector<float> values(pixels.size());
  make_image_dataset(shape, {""}, card.normalization, std::move(pixels), {0})->get(0, values);
  return values;
}

}  // namespace condenser::data
