// Pictures decoded when asked for. Lists of files come from formats/, keeping them decoded is left to
// picture_cache.cpp.
#include "data/pictures.hpp"

#include <algorithm>
#include <utility>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "data/formats/image.hpp"

namespace condenser::data {
namespace {

constexpr size_t kMostPictureBytes = size_t{1} << 30;

}  // namespace

Pictures::Pictures(PictureList list, ItemShape shape, std::vector<std::string> classes, Normalization normalization)
    : list_(std::move(list)),
      shape_(checked(shape)),
      classes_(std::move(classes)),
      normalizer_(std::move(normalization), shape.c) {
  if (shape_.c != 1 && shape_.c != 3) {
    throw core::Error("pictures: shape has " + std::to_string(shape_.c) + " channels; expected 1 (grey) or 3 (RGB)");
  }
}

int Pictures::label(int64_t i) const { return check_item(i, size()), list_.labels[i]; }

void Pictures::targets(int64_t i, std::span<float> out) const {
  if (!multi_label()) return Dataset::targets(i, out);
  check_item(i, size());
  std::ranges::fill(out, 0.0f);
  for (int c : list_.all_classes[i]) out[c] = 1.0f;
}

std::string Pictures::name(int64_t i) const { return check_item(i, size()), list_.files[i]; }

void Pictures::get(int64_t i, std::span<float> out) const { write(i, {}, out); }

void Pictures::draw(int64_t i, const SampleAugment& augment, core::Rng& rng, std::span<float> out) const {
  write(i, random_window(augment, rng), out);
}

void Pictures::decode(int64_t i, const Window& window, int64_t h, int64_t w, std::span<uint8_t> planes) const {
  const std::string& file = list_.files[i];
  const int height = static_cast<int>(h), width = static_cast<int>(w);
  const Picture picture = decode_picture(core::read_file(file, kMostPictureBytes), static_cast<int>(shape_.c), file,
                                         {window, height, width});
  resize_to_planes(view_of(picture), height, width, planes);
}

void Pictures::write(int64_t i, const Window& window, std::span<float> out) const {
  check_item(i, size(), shape_, out);
  thread_local std::vector<uint8_t> planes;
  planes.resize(shape_.elements());
  decode(i, window, shape_.h, shape_.w, planes);
  normalizer_.apply(planes.data(), shape_.h * shape_.w, out.data());
}

std::shared_ptr<const Dataset> make_picture_dataset(std::vector<std::filesystem::path> files, ItemShape shape,
                                                    Normalization normalization) {
  PictureList list;
  for (const std::filesystem::path& file : files) list.files.push_back(file.string());
  list.labels.assign(files.size(), 0);
  return std::make_shared<Pictures>(std::move(list), shape, std::vector<std::string>{""}, std::move(normalization));
}

}  // namespace condenser::data
