// Cards, and with them the YAML reader of all run files.
#include "condenser/data/card.hpp"
#include "input.hpp"

using namespace condenser;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzz::File file(fuzz::text_of(data, size));
  return fuzz::expect_error_or_nothing([&] { data::read_card(file.path()); });
}
