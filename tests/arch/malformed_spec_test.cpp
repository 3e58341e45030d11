// Networks that are none: made by hand, where the error names the node, and as text, where it also has file and line.

#include <limits>
#include <span>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/spec_io.hpp"
#include "support/catch.hpp"

namespace {

using namespace condenser;
using namespace condenser::arch;

// Nodes 1..3, before the bad one: maps of 4x6x6, 4x3x3 and 4x1x1.
Spec with_bad(const Op& op, const Inputs& inputs) {
  return {"net",
          {4, 6, 6},
          {{"input", Input{}, {}},
           {"whole", Conv2d{4, square(1), square(1), Pad{}}, {0}},
           {"half", MaxPool{square(2), square(2), Pad{}}, {1}},
           {"pixel", GlobalAvgPool{}, {2}},
           {"bad", op, inputs},
           {"after", Softmax{}, {4}}}};
}

// The same as text; the bad node is on line 8.
std::string text_with_bad(const std::string& attributes) {
  return "condenser_spec: 1\nname: net\ninput: [4, 6, 6]\nnodes:\n"
         "  - {name: whole, op: conv2d, out: 4, kernel: 1}\n"
         "  - {name: half, op: max_pool, kernel: 2, stride: 2}\n"
         "  - {name: pixel, op: global_avg_pool}\n"
         "  - {name: bad, " +
         attributes + "}\n  - {name: after, op: softmax}\n";
}

std::string text_refusal(const std::string& text) {
  try {
    (void)parse_spec(text, "f.yaml");
  } catch (const core::Error& error) {
    CHECK(error.code() == core::ExitCode::Usage);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.what();
  }
  return "";
}

void check_made_by_hand(const Op& op, const Inputs& inputs, const std::string& expected) {
  try {
    (void)analyze(with_bad(op, inputs));
    FAIL("accepted");
  } catch (const SpecError& error) {
    CHECK(error.node() == "bad");
    CHECK(error.code() == core::ExitCode::Usage);
    CHECK_THAT(error.what(), Catch::StartsWith("node bad: "));
    CHECK_THAT(error.what(), Catch::Contains(expected));
  }
}

struct Case {
  Op op;
  Inputs inputs;
  std::string attributes;  // the same in text
  std::string expected;
};

Conv2d conv(int out, int kernel, int groups = 1) { return {out, square(kernel), square(1), Pad{}, groups}; }

const Case kShapes[] = {
    {Add{}, {1, 2}, "op: add, inputs: [whole, half]", "shapes 4x6x6 and 4x3x3 differ"},
    {Mul{}, {1, 2}, "op: mul, inputs: [whole, half]", "expected equal shapes, or Cx1x1"},
    {SoftmaxMul{}, {3, 1}, "op: softmax_mul, inputs: [pixel, whole]", "shapes 4x1x1 and 4x6x6 differ"},
    {Concat{}, {1, 1, 2}, "op: concat, inputs: [whole, whole, half]", "maps 4x6x6 and 4x3x3 differ"},
    {conv(6, 1, 3), {1}, "op: conv2d, input: whole, out: 6, kernel: 1, groups: 3", "multiples of groups"},
    {conv(6, 1, 4), {1}, "op: conv2d, input: whole, out: 6, kernel: 1, groups: 4", "a multiple of groups"},
    {conv(4, 7), {1}, "op: conv2d, input: whole, out: 4, kernel: 7", "kernel height 7 is larger than the padded"},
    {AvgPool{{1, 4}, square(1), Pad{}},
     {2},
     "op: avg_pool, input: half, kernel: [1, 4], stride: 1",
     "kernel width 4 is larger than the padded"},
    {Slice{3, 2}, {1}, "op: slice, input: whole, begin: 3, count: 2", "channels 3..4 of 4"},
    {Slice{4, 1}, {1}, "op: slice, input: whole, begin: 4, count: 1", "channels 4..4 of 4"},
    {Slice{65'535, 65'536}, {1}, "op: slice, input: whole, begin: 65535, count: 65536", "channels 65535..131070 of 4"},
    {Upsample{{6, 5}}, {1}, "op: upsample, input: whole, size: [6, 5]", "not below the input's"},
    {BlurPool{3, square(1)}, {3}, "op: blur_pool, input: pixel, stride: 1", "a map of 2x2 or more to mirror"},
    {BlurPool{5, square(1)}, {3}, "op: blur_pool, input: pixel, taps: 5, stride: 1", "a map of 3x3 or more to mirror"},
    {ChannelShuffle{3}, {1}, "op: channel_shuffle, input: whole, groups: 3", "groups"},
    {Linear{4}, {1}, "op: linear, input: whole, out: 4", "linear reads 4x6x6; expected Cx1x1"},
};

const Case kAttributes[] = {
    {conv(0, 1), {1}, "op: conv2d, input: whole, out: 0, kernel: 1", "out = 0"},
    {conv(-4, 1), {1}, "op: conv2d, input: whole, out: -4, kernel: 1", "out = -4"},
    {conv(4, 1, 0), {1}, "op: conv2d, input: whole, out: 4, kernel: 1, groups: 0", "groups = 0"},
    {Linear{0}, {3}, "op: linear, out: 0", "out = 0"},
    {Slice{0, 0}, {1}, "op: slice, input: whole, begin: 0, count: 0", "count = 0"},
    {Slice{-1, 2}, {1}, "op: slice, input: whole, begin: -1, count: 2", "begin = -1"},
    {Upsample{{0, 6}}, {1}, "op: upsample, input: whole, size: [0, 6]", "size"},
    {BlurPool{4, square(1)}, {1}, "op: blur_pool, input: whole, taps: 4, stride: 1", "taps = 4; expected 3 or 5"},
    {BlurPool{3, {1, 4}}, {1}, "op: blur_pool, input: whole, stride: [1, 4]", "stride width = 4; expected 1..3"},
    {ChannelShuffle{0}, {1}, "op: channel_shuffle, input: whole, groups: 0", "groups = 0"},
    {MaxPool{square(3), square(1), pad_all(2)},
     {1},
     "op: max_pool, input: whole, kernel: 3, stride: 1, pad: 2",
     "padding top = 2; expected 0..1"},
    {BatchNorm{2.0, 0.1}, {1}, "op: batch_norm, input: whole, eps: 2", "eps = 2"},
};

// Products that 64 bits would not hold.
const Case kSizes[] = {
    {Upsample{square(65'536)}, {1}, "op: upsample, input: whole, size: 65536", "4x65536x65536 has more than 268435456"},
    {conv(65'536, 255), {1}, "op: conv2d, input: whole, out: 65536, kernel: 255", "17045913600 weights"},
    {Conv2d{std::numeric_limits<int>::max(), square(1), square(1), Pad{}},
     {1},
     "op: conv2d, input: whole, out: 2147483647, kernel: 1",
     "out = 2147483647"},
    {Upsample{square(std::numeric_limits<int>::max())}, {1}, "op: upsample, input: whole, size: 2147483647", "size"},
};

const Case kInputs[] = {
    {Softmax{}, {4}, "op: softmax, input: bad", "bad"},      // itself
    {Softmax{}, {5}, "op: softmax, input: after", "after"},  // a cycle
    {Softmax{}, {77}, "op: softmax, input: nowhere", "nowhere"},
    {Softmax{}, {}, "op: softmax, inputs: []", "inputs"},
    {Add{}, {}, "op: add, inputs: []", "inputs"},
    {Add{}, {1}, "op: add, inputs: [whole]", "inputs"},
    {Concat{}, {1}, "op: concat, inputs: [whole]", "inputs"},
    {Softmax{}, {1, 1}, "op: softmax, inputs: [whole, whole]", "inputs"},
    {Add{}, {1, 1, 1}, "op: add, inputs: [whole, whole, whole]", "inputs"},
};

void check_text(const Case& c) {
  INFO(c.attributes);
  const std::string message = text_refusal(text_with_bad(c.attributes));
  CHECK_THAT(message, Catch::StartsWith("f.yaml:8: "));
  CHECK_THAT(message, Catch::Contains("bad") || Catch::Contains("nodes[3]"));
}

}  // namespace

TEST_CASE("malformed networks are refused by node, and by line", "[arch]") {
  CHECK_NOTHROW(analyze(with_bad(Add{}, {1, 0})));  // the control
  CHECK(text_refusal(text_with_bad("op: add, inputs: [whole, input]")).empty());
  for (const std::span<const Case> cases : {std::span<const Case>(kShapes), std::span<const Case>(kSizes)}) {
    for (const Case& c : cases) {
      check_made_by_hand(c.op, c.inputs, c.expected);
      check_text(c);
      CHECK_THAT(text_refusal(text_with_bad(c.attributes)), Catch::Contains(c.expected));
    }
  }
  for (const Case& c : kAttributes) {
    check_made_by_hand(c.op, c.inputs, c.expected);
    check_text(c);
  }
  for (const Case& c : kInputs) {
    check_made_by_hand(c.op, c.inputs, c.inputs.size() == 1 && input_count(c.op) == 1 ? "earlier nodes" : "inputs for");
    check_text(c);
    CHECK_THAT(text_refusal(text_with_bad(c.attributes)), Catch::Contains(c.expected));
  }
}

TEST_CASE("more inputs than a node can have", "[arch]") {
  Inputs inputs;
  for (int k = 0; k < kMaxInputs; ++k) inputs.push_back(0);
  CHECK_THROWS_WITH(inputs.push_back(0), Catch::Contains("more than 8 inputs of one node; join them in two steps"));
  std::string names = "whole";
  for (int k = 1; k < kMaxInputs; ++k) names += ", whole";
  CHECK(text_refusal(text_with_bad("op: concat, inputs: [" + names + "]")).empty());
  const std::string message = text_refusal(text_with_bad("op: concat, inputs: [" + names + ", whole]"));
  CHECK_THAT(message, Catch::StartsWith("f.yaml:8: "));
  CHECK_THAT(message, Catch::Contains("nodes[3].inputs") && Catch::Contains("at most 8"));
}

TEST_CASE("numbers in text that no integer holds", "[arch]") {
  for (const char* attributes :
       {"op: conv2d, input: whole, out: 99999999999999999999, kernel: 1", "op: linear, out: 4294967297",
        "op: conv2d, input: whole, out: 4, kernel: [1, 99999999999]", "op: conv2d, input: whole, out: 4, kernel: 1e30",
        "op: upsample, input: whole, size: 18446744073709551622",
        "op: slice, input: whole, begin: 4294967296, count: 1",
        "op: slice, input: whole, begin: 0, count: -9223372036854775808", "op: batch_norm, input: whole, eps: 1e400",
        "op: batch_norm, input: whole, eps: .nan", "op: batch_norm, input: whole, momentum: .inf"}) {
    INFO(attributes);
    CHECK_THAT(text_refusal(text_with_bad(attributes)), Catch::StartsWith("f.yaml:8: "));
  }
  CHECK_THAT(text_refusal("condenser_spec: 1\nname: n\ninput: [1, 4294967298, 2]\nnodes: [{name: a, op: softmax}]"),
             Catch::StartsWith("f.yaml:3: "));
}

// Each convolution stays inside the limits; eight thousand of them do not fit into 63 bits.
TEST_CASE("sums beyond 64 bits are refused by line", "[arch]") {
  std::string text = "condenser_spec: 1\nname: huge\ninput: [64, 2048, 2048]\nnodes:\n";
  for (int i = 0; i < 8'500; ++i)
    text += "  - {name: c" + std::to_string(i) + ", op: conv2d, out: 64, kernel: 255, pad: 127}\n";
  const std::string message = text_refusal(text);
  CHECK_THAT(message, Catch::Matches(R"(f\.yaml:8\d\d\d: node c8\d\d\d: the sum of multiply-accumulates exceeds.*)"));
}
