// Spec files: reading, block calls, writing, refusals with file and line, hostile bytes.
#include "condenser/arch/spec_io.hpp"

#include <filesystem>
#include <functional>

#include "condenser/arch/blocks.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/rng.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"

namespace {

using namespace condenser;
using namespace condenser::arch;

const std::string kHead = "condenser_spec: 1\nname: net\ninput: [1, 28, 28]\nnodes:\n";

Spec parse(const std::string& nodes) { return parse_spec(kHead + nodes, "f.yaml"); }

std::string refusal(const std::string& text) {
  try {
    (void)parse_spec(text, "f.yaml");
  } catch (const core::Error& error) {
    REQUIRE(error.code() == core::ExitCode::Usage);
    return error.what();
  }
  return "";
}

// The message for one bad node, line 6, after a good one.
std::string node_refusal(const std::string& node) {
  return refusal(kHead + "  - {name: a, op: conv2d, out: 4, kernel: 1}\n  - " + node + "\n");
}

auto contains(const std::string& part) { return Catch::Matchers::Contains(part); }

}  // namespace

TEST_CASE("spec files: the example of the documentation", "[arch]") {
  const Spec spec = parse(R"(
    - {name: stem, op: conv2d, input: input, out: 16, kernel: 3, stride: 2, pad: 1}
    - {name: stem_bn, op: batch_norm}
    - {name: s1, block: column_stage, channels: 16, depth: 2, columns: 4, attention: true, stride: 2}
    - {name: gap, op: global_avg_pool}
    - {name: fc, op: linear, out: 10}
)");
  Builder b("net", {1, 28, 28});
  int x = b.add("stem", Conv2d{16, square(3), square(2), pad_all(1)}, {0});
  x = b.add("stem_bn", BatchNorm{}, {x});
  x = column_stage(b, x, "s1", 2, {.channels = 16, .columns = 4, .stride = 2, .attention = true});
  classifier_head(b, x, 10);
  REQUIRE(spec == b.finish());
}

TEST_CASE("spec files: each block call equals the block", "[arch]") {
  const Spec spec = parse(R"(
    - {name: stem, block: conv_bn_act, out: 8, kernel: 5, stride: 2, groups: 1, activation: relu}
    - {name: down, block: antialias_pool}
    - {name: b1, block: column_block, channels: 8, columns: 2, kernel: 5, stride: 2, bottleneck: true, attention: true,
       activation: hard_swish}
    - {name: plain, block: conv_bn_act, out: 16, activation: none}
    - {name: sum, op: add, inputs: [b1, plain]}
    - {block: classifier_head, classes: 7}
)");
  Builder b("net", {1, 28, 28});
  int x = conv_bn_act(b, 0, "stem", {8, 5, 2, 1, ActivationKind::Relu});
  x = antialias_pool(b, x, "down");
  const int left = column_block(b, x, "b1", {8, 2, 5, 2, true, true, ActivationKind::HardSwish});
  const int right = conv_bn_act(b, left, "plain", {.out = 16, .activation = std::nullopt});
  classifier_head(b, b.add("sum", Add{}, {left, right}), 7);
  REQUIRE(spec == b.finish());
}

TEST_CASE("spec files: sizes and pads in every form", "[arch]") {
  const Spec spec = parse(R"(
    - {name: a, op: conv2d, out: 4, kernel: [5, 3], stride: [2, 1], pad: [2, 1], groups: 1, bias: true}
    - {name: b, op: conv2d, out: 4, kernel: [5, 3], pad: [2, 1, 0, 1], clamp: relu6}
    - {name: c, op: conv2d, out: 4, kernel: 3, pad: 2}
    - {name: d, op: avg_pool, kernel: [2], stride: 2, count_include_pad: true}
    - {name: e, op: batch_norm, eps: 0.001, momentum: 0}
    - {name: f, op: activation, kind: hard_sigmoid}
)");
  REQUIRE(spec.nodes[1].op == Op(Conv2d{4, {5, 3}, {2, 1}, {2, 2, 1, 1}, 1, true}));
  REQUIRE(spec.nodes[2].op == Op(Conv2d{4, {5, 3}, {1, 1}, {2, 1, 0, 1}, 1, false, Clamp::Relu6}));
  REQUIRE(spec.nodes[3].op == Op(Conv2d{4, {3, 3}, {1, 1}, {2, 2, 2, 2}}));
  REQUIRE(spec.nodes[4].op == Op(AvgPool{{2, 2}, {2, 2}, {}, true}));
  REQUIRE(spec.nodes[5].op == Op(BatchNorm{0.001, 0}));
  REQUIRE(spec.nodes[6].op == Op(Activation{ActivationKind::HardSigmoid}));
}

TEST_CASE("spec files: written and read back, a Spec is the same", "[arch]") {
  std::vector<Spec> specs;
  for (const auto& exemplar : testing::exemplars()) specs.push_back(exemplar.spec);
  for (const ZooCard& card : zoo()) specs.push_back(card.make(card.input, card.classes));
  REQUIRE(specs.size() > 40);
  for (const Spec& spec : specs) {
    INFO(spec.name);
    REQUIRE(parse_spec(to_json(spec), "json") == spec);
    REQUIRE(parse_spec(to_yaml(spec), "yaml") == spec);
  }
}

TEST_CASE("spec files: every operator, odd names and dead nodes survive", "[arch]") {
  Spec spec{"caf\u00e9 \"x\" \\ \n\t\x01\x7f \u0085\u2028\ufeff\U0001F600 # : {}",
            {4, 6, 6},
            {{"x", Input{}, {}},
             {"null", Conv2d{4, {3, 2}, {1, 1}, {1, 1, 1, 0}, 2, true, Clamp::Relu}, {0}},
             {"true", BatchNorm{1e-3, 0.3}, {0}},
             {"y", Softmax{}, {1}},
             {"no", SoftmaxMul{}, {1, 2}},
             {"e1", Mul{}, {3, 4}},
             {"inf", AvgPool{{3, 3}, {1, 1}, {1, 1, 1, 1}, true}, {5}},
             {"dead", Activation{ActivationKind::Tanh}, {2}},
             {"on", MaxPool{{2, 2}, {2, 2}, {0, 1, 0, 1}}, {6}},
             {"add", Add{Clamp::Relu6}, {8, 8}},
             {"gap", GlobalAvgPool{}, {9}},
             {"fc", Linear{3, false, Clamp::Relu}, {10}}}};
  REQUIRE(parse_spec(to_json(spec), "json") == spec);
  REQUIRE(parse_spec(to_yaml(spec), "yaml") == spec);
  spec.name = "123";
  REQUIRE(parse_spec(to_yaml(spec), "yaml") == spec);
  spec.name = "";
  REQUIRE(parse_spec(to_json(spec), "json") == spec);
  spec.name = "\xff";
  REQUIRE_THROWS_AS(to_json(spec), core::Error);
}

TEST_CASE("spec files: the form of both texts", "[arch]") {
  const Spec spec = parse(R"(
    - {name: c, op: conv2d, out: 4, kernel: 3, stride: 2, pad: [1, 0]}
    - {name: r, op: activation, kind: relu}
    - {name: s, op: add, inputs: [c, r]}
    - {name: t, op: softmax, input: c}
)");
  REQUIRE(to_yaml(spec) ==
          "condenser_spec: 1\nname: net\ninput: [1, 28, 28]\nnodes:\n"
          "  - {name: c, op: conv2d, out: 4, kernel: 3, stride: 2, pad: [1, 0]}\n"
          "  - {name: r, op: activation, kind: relu}\n"
          "  - {name: s, op: add, inputs: [c, r]}\n"
          "  - {name: t, op: softmax, input: c}\n");
  REQUIRE_THAT(to_json(spec), contains("{\n  \"condenser_spec\": 1,\n  \"name\": \"net\",\n  \"input\": [1, 28, 28]"));
  REQUIRE_THAT(to_json(spec),
               contains(R"({"name":"c","op":"conv2d","inputs":["input"],"out":4,"kernel":[3,3],"stride":[2,2],)"
                        R"("pad":[1,1,0,0],"groups":1,"bias":false,"clamp":"none"})"));
}

TEST_CASE("spec files: outputs by name, of nodes and of blocks", "[arch]") {
  const std::string nodes = R"(
  - {name: stem, block: conv_bn_act, out: 4, kernel: 3}
  - {name: map, op: conv2d, out: 2, kernel: 1}
  - {block: classifier_head, input: stem, classes: 3}
)";
  const auto with = [&](const std::string& outputs) { return kHead + nodes + outputs; };
  const Spec plain = parse_spec(with(""), "f");
  CHECK(parse_spec(with("outputs: [head]\n"), "f") == plain);  // the last node
  const Spec two = parse_spec(with("outputs: [head, stem]\n"), "f");
  CHECK(two.nodes == plain.nodes);
  CHECK(two.node(two.output(0)).name == "fc");
  CHECK(two.node(two.output(1)).name == "stem_act");
  CHECK_THAT(to_yaml(two), contains("outputs: [fc, stem_act]"));
  CHECK_THAT(to_json(two), contains("\"outputs\": [\"fc\",\"stem_act\"]"));
  CHECK(parse_spec(to_json(two), "json") == two);
  CHECK(parse_spec(to_yaml(two), "yaml") == two);
  CHECK_THAT(refusal(with("outputs: [haed]\n")), contains("outputs = [haed]") && contains("did you mean head?"));
  CHECK_THAT(refusal(with("outputs: [map, head, map]\n")), contains("every output once; map is named twice"));
  CHECK_THAT(refusal(with("outputs: [input]\n")), contains("nodes behind the input"));
  CHECK_THAT(refusal(with("outputs: []\n")), contains("at least one node"));
}

TEST_CASE("spec files: on disk, by extension", "[arch]") {
  const Spec spec = testing::exemplars().back().spec;
  const auto folder = std::filesystem::temp_directory_path() / "condenser_spec_io_test";
  for (const char* name : {"a.json", "a.yaml", "a.yml"}) {
    write_spec(folder / name, spec);
    REQUIRE(read_spec(folder / name) == spec);
  }
  REQUIRE(core::read_file(folder / "a.json") == to_json(spec));
  REQUIRE(core::read_file(folder / "a.yml") == to_yaml(spec));
  REQUIRE_THROWS_WITH(write_spec(folder / "a.txt", spec), contains("a spec file ends in"));
  REQUIRE_THROWS_WITH(read_spec(folder / "a.txt"), contains("a spec file ends in"));
  REQUIRE_THROWS_AS(read_spec(folder / "absent.yaml"), core::Error);
  std::filesystem::remove_all(folder);
}

TEST_CASE("spec files: refusals of the document", "[arch]") {
  REQUIRE_THAT(refusal("name: x\n"), contains("condenser_spec is missing; expected 1, the version"));
  REQUIRE_THAT(refusal("condenser_spec: 2\n"), contains("f.yaml:1: condenser_spec = 2; expected 1, the version"));
  REQUIRE_THAT(refusal("condenser_spec: one\n"), contains("condenser_spec = one"));
  REQUIRE_THAT(refusal("condenser_spec: 1\n"), contains("name is missing"));
  REQUIRE_THAT(refusal("condenser_spec: 1\nname: \xff\ninput: [1, 2, 2]\n"),
               contains("f.yaml:2: a name that is not UTF-8"));
  REQUIRE_THAT(refusal("condenser_spec: 1\nname: x\n"), contains("input is missing; expected [channels, height"));
  REQUIRE_THAT(refusal("condenser_spec: 1\nname: x\ninput: [1, 2]\n"), contains("f.yaml:3: input = [1, 2]"));
  REQUIRE_THAT(refusal("condenser_spec: 1\nname: x\ninput: [1, 0, 2]\n"), contains("f.yaml:3"));
  REQUIRE_THAT(refusal("condenser_spec: 1\nname: x\ninput: [1, 65536, 65536]\nnodes: [{name: a, op: softmax}]"),
               contains("f.yaml:3: input shape"));
  REQUIRE_THAT(refusal("condenser_spec: 1\nname: x\ninput: [1, 2, 2]\n"), contains("nodes"));
  REQUIRE_THAT(refusal(kHead + "  - {name: a, op: softmax}\nnode: 5\n"), contains("did you mean nodes"));
  REQUIRE_FALSE(refusal("").empty());
  REQUIRE_FALSE(refusal("[1, 2]").empty());

  std::string many = kHead;
  for (int i = 0; i <= kMaxNodes; ++i) many += "  - {op: softmax}\n";
  REQUIRE_THAT(refusal(many), contains("10001 nodes; expected at most 10000"));
  REQUIRE_THAT(refusal(kHead + "  - {name: a, op: softmax}\n#" + std::string(4 << 20, 'x')), contains("bytes"));
  std::string stages = kHead;
  for (int i = 0; i < 20; ++i)
    stages += "  - {name: s" + std::to_string(i) + ", block: column_stage, channels: 4, columns: 1, depth: 1000}\n";
  REQUIRE_THAT(refusal(stages), contains("more than 10000 nodes"));
}

TEST_CASE("spec files: refusals of nodes carry file, line and reason", "[arch]") {
  REQUIRE(node_refusal("{name: b, op: batch_norm}").empty());  // the control
  REQUIRE_THAT(node_refusal("{name: b, op: conv2}"), contains("f.yaml:6: nodes[1].op = conv2; expected one of input, "
                                                              "conv2d"));
  REQUIRE_THAT(node_refusal("{name: b, op: conv2}"), contains("did you mean conv2d?"));
  REQUIRE_THAT(node_refusal("{name: b, block: column_stag, depth: 1}"), contains("did you mean column_stage?"));
  REQUIRE_THAT(node_refusal("{name: b}"), contains("f.yaml:6: a node needs either op or block"));
  REQUIRE_THAT(node_refusal("{name: b, op: mul, block: column_stage}"), contains("either op or block"));
  REQUIRE_THAT(node_refusal("{op: softmax}"), contains("name is missing"));
  REQUIRE_THAT(node_refusal("{name: a, op: softmax}"), contains("f.yaml:6: node a: two nodes"));
  REQUIRE_THAT(node_refusal("{name: B, op: softmax}"), contains("f.yaml:6: node B: "));
  REQUIRE_THAT(node_refusal("{name: b, op: softmax, input: c}"),
               contains("f.yaml:6: nodes[1].input = c; expected names of"));
  REQUIRE_THAT(node_refusal("{name: b, op: softmax, input: inptu}"), contains("did you mean input?"));
  REQUIRE_THAT(node_refusal("{name: b, op: add}"), contains("two nodes above"));
  REQUIRE_THAT(node_refusal("{name: b, op: add, inputs: [a]}"), contains("two nodes above"));
  REQUIRE_THAT(node_refusal("{name: b, op: add, input: a}"), contains("two nodes above"));
  REQUIRE_THAT(node_refusal("{name: b, op: softmax, inputs: [a, a]}"), contains("one node above"));
  REQUIRE_THAT(node_refusal("{name: b, op: softmax, input: a, inputs: [a]}"), contains("either input or inputs"));
  REQUIRE_THAT(node_refusal("{name: b, op: add, inputs: [a, input]}"),
               contains("f.yaml:6: node b: shapes 4x28x28 and 1x28x28"));
  REQUIRE_THAT(node_refusal("{name: b, op: input}"), contains("the input is the first node"));
  REQUIRE_THAT(node_refusal("{name: b, op: conv2d, kernel: 3}"), contains("out is missing"));
  REQUIRE_THAT(node_refusal("{name: b, op: conv2d, out: 3}"), contains("kernel is missing"));
  REQUIRE_THAT(node_refusal("{name: b, op: conv2d, out: 0, kernel: 3}"), contains("out = 0; expected 1..65536"));
  REQUIRE_THAT(node_refusal("{name: b, op: conv2d, out: 4, kernel: 3, strid: 2}"), contains("did you mean stride?"));
  REQUIRE_THAT(node_refusal("{name: b, op: conv2d, out: 4, kernel: [3, 0]}"),
               contains("kernel = [3, 0]; expected one number or [height, width], each 1..255"));
  REQUIRE_THAT(node_refusal("{name: b, op: conv2d, out: 4, kernel: x}"),
               contains("kernel = x; expected one number or"));
  REQUIRE_THAT(node_refusal("{name: b, op: conv2d, out: 4, kernel: [1, 2, 3]}"),
               contains("one number or [height, width]"));
  REQUIRE_THAT(node_refusal("{name: b, op: conv2d, out: 4, kernel: 3, pad: [1, 1, 1]}"), contains("[top, bottom"));
  REQUIRE_THAT(node_refusal("{name: b, op: conv2d, out: 4, kernel: 3, groups: 3}"), contains("f.yaml:6: node b: "));
  REQUIRE_THAT(node_refusal("{name: b, op: conv2d, out: 4, kernel: 3, clamp: rleu}"), contains("did you mean relu?"));
  REQUIRE_THAT(node_refusal("{name: b, op: avg_pool, kernel: 2}"), contains("stride is missing"));
  REQUIRE_THAT(node_refusal("{name: b, op: activation}"), contains("kind is missing"));
  REQUIRE_THAT(node_refusal("{name: b, op: activation, kind: slu}"), contains("did you mean silu?"));
  REQUIRE_THAT(node_refusal("{name: b, op: batch_norm, eps: 0}"), contains("f.yaml:6: node b: eps"));
  REQUIRE_THAT(node_refusal("{name: b, op: linear, out: 3}"), contains("f.yaml:6: node b: linear reads 4x28x28"));
  REQUIRE_THAT(node_refusal("{name: b, block: column_stage, channels: 4}"), contains("depth is missing"));
  REQUIRE_THAT(node_refusal("{name: b, block: column_block, channels: 6, columns: 4}"), contains("f.yaml:6: node b"));
  REQUIRE_THAT(node_refusal("{name: b, block: classifier_head}"), contains("classes is missing"));
  REQUIRE_THAT(node_refusal("{name: b, block: antialias_pool, stride: 2}"), contains("stride: unknown key"));
  REQUIRE_THAT(node_refusal("5"), contains("f.yaml:6"));
}

TEST_CASE("spec files: damaged text gives an error or a valid Spec, nothing else", "[arch]") {
  const Spec& spec = testing::exemplar("block_stage");
  const std::string forms[] = {to_json(spec), to_yaml(spec),
                               kHead +
                                   "  - {name: s, block: column_stage, channels: 8, depth: 2, columns: 1}\n"
                                   "  - {block: classifier_head, classes: 3}\n"};
  for (const std::string& text : forms) REQUIRE_NOTHROW(parse_spec(text, "f"));
  core::Rng rng(7);
  int read = 0, refused = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string text = forms[round % 3];
    for (uint64_t edits = 1 + rng.below(2); edits > 0 && !text.empty(); --edits) {
      const size_t at = rng.below(text.size());
      const size_t digit = text.find_first_of("0123456789", at);
      switch (rng.below(6)) {
        case 0: text[at] = static_cast<char>(rng.below(256)); break;
        case 5:
          if (digit != std::string::npos) text[digit] = static_cast<char>('0' + rng.below(10));
          break;
        case 1: text[at] = "0123456789,:[]{}\"-&*!|>%@\n"[rng.below(26)]; break;
        case 2: text.resize(at); break;
        case 3: text.insert(at, text.substr(rng.below(text.size()), 1 + rng.below(8))); break;
        default: text.erase(at, 1 + rng.below(4)); break;
      }
    }
    try {
      const Spec result = parse_spec(text, "f");
      validate(result);
      REQUIRE(parse_spec(to_json(result), "again") == result);
      ++read;
    } catch (const core::Error&) {
      ++refused;
    }
  }
  REQUIRE(read > 50);
  REQUIRE(refused > 300);
}
