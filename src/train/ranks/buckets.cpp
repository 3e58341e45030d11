// Cuts the gradient block into buckets, from its end to its start.
#include "train/ranks/buckets.hpp"

namespace condenser::train {

std::vector<Bucket> plan_buckets(const nn::BlockLayout& layout, int64_t bytes) {
  std::vector<Bucket> buckets;
  int64_t end = layout.trainable_size;
  int parameters = 0;
  for (auto at = layout.segments.rbegin(); at != layout.segments.rend(); ++at) {
    const nn::Segment& segment = *at;
    if (!segment.trainable) continue;
    ++parameters;
    const int64_t size = end - segment.offset;
    if (size * static_cast<int64_t>(sizeof(float)) < bytes && segment.offset > 0) continue;
    buckets.push_back({segment.offset, size, parameters});
    end = segment.offset;
    parameters = 0;
  }
  return buckets;
}

}  // namespace condenser::train
