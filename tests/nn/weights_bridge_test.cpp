#include "condenser/nn/weights_bridge.hpp"

#include "support/catch.hpp"
#include "support/exemplars.hpp"

namespace condenser::nn {

TEST_CASE("a parameter block holds every parameter once, aligned, trainable ones first", "[nn]") {
  for (const auto& [name, spec] : testing::exemplars()) {
    INFO(name);
    const BlockLayout layout = block_layout(spec);
    CHECK(layout.segments.size() == arch::parameters(spec).size());
    int64_t end = 0;
    for (const auto& segment : layout.segments) {
      CHECK(segment.offset >= end);
      CHECK(segment.offset % 16 == 0);
      CHECK(segment.trainable == (segment.offset < layout.trainable_size));
      CHECK(segment.decay == (segment.trainable && segment.shape.size() > 1));
      end = segment.offset + segment.size;
    }
    CHECK(end <= layout.size);
  }
}

TEST_CASE("weights survive the way through a block", "[nn]") {
  const auto& spec = testing::exemplar("network_tiny");
  const BlockLayout layout = block_layout(spec);
  arch::Weights weights = arch::random_weights(spec, 3);
  weights.metadata.clear();
  std::vector<float> block(static_cast<size_t>(layout.size));
  copy_to_block(spec, layout, weights, block);
  CHECK(copy_from_block(layout, block) == weights);

  const auto trainable = copy_from_block(layout, std::span(block).first(static_cast<size_t>(layout.trainable_size)));
  CHECK(trainable.tensors.size() < weights.tensors.size());
  CHECK_FALSE(trainable.tensors.contains("stem_c1_bn.running_mean"));
  CHECK(trainable.tensors.contains("stem_c1_bn.weight"));
}

TEST_CASE("weights of another network are refused", "[nn]") {
  const auto& spec = testing::exemplar("network_tiny");
  const BlockLayout layout = block_layout(spec);
  std::vector<float> block(static_cast<size_t>(layout.size));
  arch::Weights weights = arch::random_weights(spec, 3);

  arch::Weights missing = weights;
  missing.tensors.erase("fc.bias");
  CHECK_THROWS_WITH(copy_to_block(spec, layout, missing, block), Catch::Contains("fc.bias"));

  arch::Weights misshapen = weights;
  misshapen.tensors["fc.bias"] = arch::make_tensor(arch::DType::F32, {11});
  CHECK_THROWS_WITH(copy_to_block(spec, layout, misshapen, block), Catch::Contains("fc.bias"));

  block.pop_back();
  CHECK_THROWS_WITH(copy_to_block(spec, layout, weights, block), Catch::Contains("floats"));
}

}  // namespace condenser::nn
