// Shapes' arithmetic and the small facts of operators.

#include "condenser/arch/ops.hpp"

#include <set>
#include <string>

#include "support/catch.hpp"

using namespace condenser::arch;

TEST_CASE("window_out counts the windows that fit", "[arch]") {
  for (int in = 1; in <= 9; ++in) {
    for (int kernel = 1; kernel <= 5; ++kernel) {
      for (int stride = 1; stride <= 4; ++stride) {
        for (int before = 0; before <= 2; ++before) {
          for (int after = 0; after <= 2; ++after) {
            int fits = 0;  // counted one by one
            for (int start = -before; start + kernel <= in + after; start += stride) ++fits;
            CHECK(window_out(in, kernel, stride, before, after) == fits);
          }
        }
      }
    }
  }
}

TEST_CASE("A shape is written channels first", "[arch]") {
  CHECK(to_string(Shape{32, 56, 7}) == "32x56x7");
  CHECK(Shape{32, 56, 7}.elements() == 12544);
}

TEST_CASE("Every operator has its own name and input count", "[arch]") {
  const Op ops[] = {Input{},    Conv2d{},        BatchNorm{}, Activation{}, Softmax{},       SoftmaxMul{}, AvgPool{},
                    MaxPool{},  GlobalAvgPool{}, Linear{},    Add{},        Mul{},           PRelu{},      Scale{},
                    BlurPool{}, Upsample{},      Concat{},    Slice{},      ChannelShuffle{}};
  STATIC_REQUIRE(std::size(ops) == std::variant_size_v<Op>);
  std::set<std::string> names;
  for (const Op& op : ops) {
    names.insert(op_name(op));
    CHECK(commutative(op) == (std::holds_alternative<Add>(op) || std::holds_alternative<Mul>(op)));
    if (commutative(op)) CHECK(input_count(op) == 2);
  }
  CHECK(names.size() == std::size(ops));
  CHECK(input_count(Input{}) == 0);
  CHECK(input_count(SoftmaxMul{}) == 2);
  CHECK(input_count(Linear{}) == 1);
  CHECK(input_count(Concat{}) == kManyInputs);
  CHECK(std::string(op_name(GlobalAvgPool{})) == "global_avg_pool");
  CHECK(std::string(to_string(ActivationKind::HardSwish)) == "hard_swish");
  CHECK(std::string(to_string(Clamp::Relu6)) == "relu6");
}

TEST_CASE("Depthwise means one group per input channel", "[arch]") {
  CHECK(depthwise(Conv2d{6, square(3), square(1), pad_all(1), 6}, {6, 8, 8}));
  CHECK(depthwise(Conv2d{12, square(3), square(1), pad_all(1), 6}, {6, 8, 8}));
  CHECK_FALSE(depthwise(Conv2d{6, square(3), square(1), pad_all(1), 3}, {6, 8, 8}));
  CHECK_FALSE(depthwise(Conv2d{6, square(3), square(1), pad_all(1), 1}, {6, 8, 8}));
}
