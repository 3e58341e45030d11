// CSV, and the index of pictures made of it; the first byte chooses several classes per item.
#include <vector>

#include "condenser/core/csv.hpp"
#include "data/formats/formats.hpp"
#include "input.hpp"

using namespace condenser;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  fuzz::expect_error_or_nothing([&] { core::read_csv(text, "x", [](int64_t, const std::vector<std::string>&) {}); });
  const fuzz::File file(text);
  return fuzz::expect_error_or_nothing([&] {
    data::Card card;
    card.format = "csv";
    card.root = file.path().parent_path();
    card.shape = {1, 2, 2};
    card.multi_label = data[0] & 1;
    card.splits["train"] = {{file.path().filename().string(), ""}};
    const auto dataset = data::open_split(card, "train");
    std::vector<float> targets(dataset->classes().size());
    for (int64_t i = 0; i < dataset->size(); ++i) dataset->targets(i, targets);
  });
}
