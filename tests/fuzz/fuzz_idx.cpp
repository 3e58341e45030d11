// IDX: the first two bytes say where images end and labels begin. Either may be gzipped.
#include <algorithm>

#include "data/formats/formats.hpp"
#include "input.hpp"

using namespace condenser;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view rest = fuzz::text_of(data + 2, size - 2);
  const size_t cut = std::min<size_t>(rest.size(), data[0] | data[1] << 8);
  const fuzz::File images(rest.substr(0, cut)), labels(rest.substr(cut));
  return fuzz::expect_error_or_nothing([&] {
    data::Card card;
    card.shape = {1, 2, 3};
    card.classes = {"a", "b"};
    const data::RawImages raw = data::read_idx(card, {images.path(), labels.path()});
    if (raw.pixels.size() != raw.labels.size() * 6) std::abort();
  });
}
