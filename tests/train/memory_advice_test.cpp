#include "train/memory_advice.hpp"

#include "condenser/arch/builder.hpp"
#include "support/catch.hpp"

namespace condenser::train {

TEST_CASE("out of memory says what would fit", "[train]") {
  arch::Builder b("flat", {1, 16, 16});
  b.add("gap", arch::GlobalAvgPool{}, {b.input()});
  b.add("fc", arch::Linear{.out = 10}, {b.last()});
  const arch::Spec spec = b.finish();
  CHECK(training_bytes_per_item(spec) == 2 * 4 * (256 + 1 + 10));
  const double item = 2136;
  // 80 % of the room of 100 items takes 80: 256 need four parts.
  CHECK_THAT(out_of_memory_text(spec, 256, 1, 100 * item),
             Catch::Contains("train.batch_size = 256") && Catch::Contains("about 80") &&
                 Catch::Contains("train.batch_size=64 train.accumulate=4"));
  CHECK_THAT(out_of_memory_text(spec, 256, 1, 0), Catch::Contains("not enough for one item"));
  CHECK_THAT(out_of_memory_text(spec, 256, 1, 1e9), Catch::Contains("other programs"));
  CHECK(available_bytes() > 0);
}

}  // namespace condenser::train
