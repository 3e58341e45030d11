// dump_items <card> <split> <file>: the items of a split as raw numbers, for comparing with other programs. Per item
// the label (int32), then the values without normalization (float32). Built on demand; see
// scripts/check_kws_features.py.
#include <cstdio>
#include <fstream>

#include "condenser/core/error.hpp"
#include "condenser/data/card.hpp"

using namespace condenser;

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: dump_items <card> <split> <file>\n");
    return 2;
  }
  try {
    data::Card card = data::read_card(argv[1]);
    card.normalization = {std::vector<double>(card.shape.c, 0.0), std::vector<double>(card.shape.c, 1.0)};
    const auto dataset = data::open_split(card, argv[2]);
    std::ofstream out(argv[3], std::ios::binary);
    std::vector<float> values(dataset->shape().elements());
    for (int64_t i = 0; i < dataset->size(); ++i) {
      const int32_t label = dataset->label(i);
      dataset->get(i, values);
      out.write(reinterpret_cast<const char*>(&label), sizeof label);
      out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(4 * values.size()));
    }
    if (!out.flush()) throw core::Error(std::string(argv[3]) + ": cannot be written");
  } catch (const core::Error& error) {
    std::fprintf(stderr, "dump_items: %s\n", error.what());
    return 1;
  }
  return 0;
}
