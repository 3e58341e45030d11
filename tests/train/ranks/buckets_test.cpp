// Buckets cover the gradient block once, from its end, and hold whole parameters.
#include "train/ranks/buckets.hpp"

#include "condenser/arch/zoo.hpp"
#include "support/catch.hpp"

namespace condenser::train {

TEST_CASE("buckets cover the gradients once, from the end", "[train][ranks]") {
  const nn::BlockLayout layout = nn::block_layout(arch::find_zoo("resnet8").make({3, 32, 32}, 10));
  const int64_t bytes = GENERATE(1, 4096, 65536, 1 << 30);
  const auto buckets = plan_buckets(layout, bytes);
  int64_t end = layout.trainable_size;
  int parameters = 0;
  for (const Bucket& bucket : buckets) {
    CHECK(bucket.offset + bucket.size == end);
    CHECK(bucket.parameters >= 1);
    CHECK((bucket.size * 4 >= bytes || bucket.offset == 0));
    int inside = 0;
    for (const auto& s : layout.segments)
      if (s.trainable && s.offset >= bucket.offset && s.offset < end) {
        CHECK(s.offset + s.size <= end);
        ++inside;
      }
    CHECK(inside == bucket.parameters);
    end = bucket.offset;
    parameters += bucket.parameters;
  }
  CHECK(end == 0);
  const auto trainable =
      std::count_if(layout.segments.begin(), layout.segments.end(), [](auto& s) { return s.trainable; });
  CHECK(parameters == trainable);
  if (bytes == 1) CHECK(std::ssize(buckets) == trainable);
  if (bytes == 1 << 30) CHECK(buckets.size() == 1);
}

}  // namespace condenser::train
