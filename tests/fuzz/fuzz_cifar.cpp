// CIFAR records; the first byte chooses between the two versions.
#include "data/formats/formats.hpp"
#include "input.hpp"

using namespace condenser;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const fuzz::File file(fuzz::text_of(data + 1, size - 1));
  return fuzz::expect_error_or_nothing([&] {
    data::Card card;
    card.format = data[0] & 1 ? "cifar100_binary" : "cifar_binary";
    card.labels = data[0] & 2 ? "coarse" : "fine";
    card.shape = {3, 1, 2};
    card.classes = {"a", "b", "c"};
    const data::RawImages raw = data::read_cifar_binary(card, {file.path()});
    if (raw.pixels.size() != raw.labels.size() * 6) std::abort();
  });
}
