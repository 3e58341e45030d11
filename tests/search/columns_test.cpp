// The space `columns`: what its decisions mean, and the files that narrow it.

#include <filesystem>

#include "condenser/arch/analysis.hpp"
#include "condenser/search/gate.hpp"
#include "condenser/search/generator.hpp"
#include "condenser/search/space.hpp"
#include "support/catch.hpp"

using namespace condenser;
using core::config::Reader;
namespace fs = std::filesystem;

namespace {

const search::SpaceContext kDigits{{1, 28, 28}, 10};

std::unique_ptr<search::Space> make(const std::string& yaml, const search::SpaceContext& context = kDigits) {
  Reader reader = Reader::from_text("space: columns\n" + yaml, "space.yaml");
  auto space = search::make_space(reader, context);
  reader.finish();
  return space;
}

// The genotype with the named values, the first option elsewhere.
search::Genotype pick(const search::Space& space, const std::map<std::string, int>& values) {
  search::Genotype g;
  for (const search::Decision& d : space.decisions()) {
    const auto it = values.find(d.name);
    const int wanted = it == values.end() ? d.options.front() : it->second;
    const auto at = std::find(d.options.begin(), d.options.end(), wanted);
    REQUIRE(at != d.options.end());
    g.choice.push_back(static_cast<int>(at - d.options.begin()));
  }
  return g;
}

std::string refusal(const std::string& yaml, const search::SpaceContext& context = kDigits) {
  try {
    make(yaml, context);
  } catch (const core::ConfigError& e) {
    return e.what();
  }
  return "accepted";
}

const arch::Conv2d& conv(const arch::Spec& spec, const std::string& node) {
  return std::get<arch::Conv2d>(spec.node(arch::find_node(spec, node)).op);
}

bool has_node(const arch::Spec& spec, const std::string& name) {
  return std::any_of(spec.nodes.begin(), spec.nodes.end(), [&](const arch::Node& n) { return n.name == name; });
}

template <class Op>
int count(const arch::Spec& spec) {
  return static_cast<int>(std::count_if(spec.nodes.begin(), spec.nodes.end(),
                                        [](const arch::Node& n) { return std::holds_alternative<Op>(n.op); }));
}

}  // namespace

TEST_CASE("decisions of the columns space say what the network is", "[search]") {
  const auto space = make("activation: [silu]\n");
  const arch::Spec spec = space
                              ->expand(pick(*space, {{"stem_width", 16},
                                                     {"activation", 1},
                                                     {"merge_stage", 2},
                                                     {"s1_width", 24},
                                                     {"s1_columns", 4},
                                                     {"s1_kernel", 5},
                                                     {"s1_depth", 2},
                                                     {"s2_width", 32},
                                                     {"s2_columns", 2},
                                                     {"s2_block", 1},
                                                     {"s2_attention", 2},
                                                     {"s3_columns", 1}}))
                              .spec;
  CHECK(conv(spec, "stem").out == 16);
  CHECK(conv(spec, "s1b1_c1").groups == 4);
  CHECK(conv(spec, "s1b1_c1").kernel == arch::square(5));
  CHECK(has_node(spec, "s1b2_c1"));
  CHECK_FALSE(has_node(spec, "s1b3_c1"));
  CHECK(conv(spec, "s2b1_c2").groups == 2);  // the spatial one of a bottleneck
  CHECK(conv(spec, "s2b1_c3").out == 64);    // expansion 2
  CHECK(conv(spec, "merge").groups == 1);
  CHECK(conv(spec, "merge").kernel == arch::square(1));
  CHECK(conv(spec, "merge").out == 64);
  CHECK(arch::find_node(spec, "merge") > arch::find_node(spec, "s2b1_c3"));
  CHECK(arch::find_node(spec, "merge") < arch::find_node(spec, "s3b1_c1"));
  CHECK(conv(spec, "s3b1_c1").groups == 1);
  CHECK(count<arch::Softmax>(spec) == 1);
  for (const arch::Node& node : spec.nodes) {
    if (const auto* a = std::get_if<arch::Activation>(&node.op)) CHECK(a->kind == arch::ActivationKind::Silu);
  }
  const arch::Spec apart = space->expand(pick(*space, {{"merge_stage", 3}})).spec;
  CHECK_FALSE(has_node(apart, "merge"));
}

TEST_CASE("the number of stages may be a decision; stages that are not there do not count", "[search]") {
  const auto space = make("stages: [1, 2]\nstage_strides: [1, 2]\nmerge_stage: [1, 2]\n");
  const arch::Spec one = space->expand(pick(*space, {{"stages", 1}})).spec;
  const arch::Spec two = space->expand(pick(*space, {{"stages", 2}})).spec;
  CHECK_FALSE(has_node(one, "s2b1_c1"));
  CHECK(has_node(two, "s2b1_c1"));
  CHECK(arch::hash(one) == arch::hash(space->expand(pick(*space, {{"stages", 1}, {"s2_width", 48}})).spec));
  const arch::Analysis analysis = arch::analyze(two);
  const auto shape = [&](const std::string& node) { return analysis.node(arch::find_node(two, node)).shape; };
  CHECK(shape("s1b1_c1").h == 28);
  CHECK(shape("s2b1_c1").h == 14);
}

TEST_CASE("keys narrow the space", "[search]") {
  const auto space = make(
      "stages: [2]\nstem_width: [16, 8]\nstem_stride: 2\nactivation: [silu]\nmerge_stage: [2]\n"
      "s1: {width: [32], depth: [1], columns: [8], block: [bottleneck], attention: [true], kernel: [3]}\n"
      "s2: {attention: [false, true]}\n");
  const auto options = [&](const std::string& name) {
    for (const search::Decision& d : space->decisions()) {
      if (d.name == name) return d.options;
    }
    return std::vector<int>{};
  };
  CHECK(options("stages") == std::vector<int>{2});
  CHECK(options("stem_width") == std::vector<int>{8, 16});
  CHECK(options("activation") == std::vector<int>{1});
  CHECK(options("s1_width") == std::vector<int>{32});
  CHECK(options("s1_columns") == std::vector<int>{8});
  CHECK(options("s1_block") == std::vector<int>{1});
  CHECK(options("s1_attention") == std::vector<int>{1});
  CHECK(options("s2_attention") == std::vector<int>{0, 1});
  CHECK(options("s3_width").empty());
  const arch::Spec spec = space->expand(pick(*space, {})).spec;
  CHECK(arch::analyze(spec).node(arch::find_node(spec, "stem")).shape.h == 14);
}

TEST_CASE("impossible narrowings are refused with the key", "[search]") {
  using Catch::Contains;
  CHECK_THAT(refusal("stem_width: [12]"), Contains("space.yaml:2") && Contains("multiples of 8"));
  CHECK_THAT(refusal("s2: {width: [24, 20]}"), Contains("s2.width") && Contains("multiples of 8"));
  CHECK_THAT(refusal("s1: {columns: [3]}"), Contains("s1.columns") && Contains("1, 2, 4 or 8"));
  CHECK_THAT(refusal("s1: {kernel: [4]}"), Contains("3, 5 or 7"));
  CHECK_THAT(refusal("s1: {depth: [2, 2]}"), Contains("each once"));
  CHECK_THAT(refusal("s1: {width: []}"), Contains("s1.width"));
  CHECK_THAT(refusal("s1: {block: [dense]}"), Contains("s1.block"));
  CHECK_THAT(refusal("s4: {width: [8]}"), Contains("s4"));
  CHECK_THAT(refusal("stages: [7]"), Contains("stages"));
  CHECK_THAT(refusal("merge_stage: [4]"), Contains("1..3"));
  CHECK_THAT(refusal("stage_strides: [2, 2]"), Contains("3 strides"));
  CHECK_THAT(refusal("stages: [6]"), Contains("stage_strides") && Contains("1x28x28"));
  CHECK_THAT(refusal("", {{1, 6, 40}, 10}), Contains("1x6x40"));
  CHECK(refusal("", {{1, 8, 8}, 10}) == "accepted");
  CHECK_THROWS_AS(make("", {{1, 28, 28}, 0}), core::Error);
}

TEST_CASE("the stem brings large inputs down, by a decision where several strides fit", "[search]") {
  const auto strides = [](const std::string& yaml, const arch::Shape& input) {
    const auto space = make(yaml, {input, 10});
    const search::Decision& last = space->decisions().back();
    if (last.name == "stem_stride") return last.options;
    const arch::Spec spec = space->expand(pick(*space, {})).spec;
    const arch::Conv2d& stem = conv(spec, "stem");
    CHECK(stem.kernel.h >= stem.stride.h);  // no pixel is passed over
    return std::vector<int>{stem.stride.h};
  };
  using List = std::vector<int>;
  const std::vector<std::pair<int, List>> expected = {
      {8, {1}},     {28, {1}},     {33, {1}},  {34, {1, 2}},  {56, {1, 2}},  {57, {2}},  {64, {2}},
      {96, {2, 4}}, {112, {2, 4}}, {128, {4}}, {160, {4, 8}}, {224, {4, 8}}, {448, {8}}, {1000, {8}}};
  for (const auto& [side, list] : expected) {
    INFO(side);
    CHECK(strides("", {3, side, side}) == list);
    CHECK(strides("", {3, side + 100, side}) == list);  // the shorter side decides
  }
  CHECK(strides("stem_stride: 1", {3, 224, 224}) == List{1});
  CHECK(strides("stem_stride: 8", {3, 224, 224}) == List{8});
  CHECK_THAT(refusal("stem_stride: 3"), Catch::Contains("0, 1, 2, 4 or 8"));

  const auto space = make("", {{3, 224, 224}, 10});
  for (const int stride : {4, 8}) {
    const arch::Design design = space->expand(pick(*space, {{"stem_stride", stride}}));
    CHECK(design.cost.node(arch::find_node(design.spec, "stem")).shape.h == 224 / stride);
  }
}

// Hashes name networks in stored studies: this one won the quickstart.
TEST_CASE("a genotype of the digits space gives the network it always gave, under names", "[search]") {
  Reader reader = Reader::from_file(fs::path(CONDENSER_SOURCE_DIR) / "search/spaces/columns_digits.yaml");
  const auto space = search::make_space(reader, kDigits);
  const search::Genotype winner = pick(*space, {{"stem_width", 16},
                                                {"merge_stage", 3},
                                                {"s1_width", 16},
                                                {"s1_depth", 2},
                                                {"s1_columns", 2},
                                                {"s1_attention", 1},
                                                {"s1_kernel", 5},
                                                {"s2_width", 16},
                                                {"s2_columns", 4},
                                                {"s2_kernel", 5},
                                                {"s3_width", 24},
                                                {"s3_columns", 2},
                                                {"s3_block", 1}});
  CHECK(arch::hash(space->expand(winner).spec).hex() == "ef49c55c215a05949d8a3a77c7a89826");
  CHECK(
      search::to_text(*space, winner) ==
      "stages=3 stem_width=16 activation=relu merge_stage=3 s1_width=16 s1_depth=2 s1_columns=2 s1_block=basic "
      "s1_attention=true s1_kernel=5 s2_width=16 s2_depth=1 s2_columns=4 s2_block=basic s2_attention=false s2_kernel=5 "
      "s3_width=24 s3_depth=1 s3_columns=2 s3_block=bottleneck s3_attention=false s3_kernel=3");
}

// What the quickstart's file does with pictures of one's own.
TEST_CASE("the digits space and its budget leave room at every size up to 224", "[search]") {
  const fs::path root = fs::path(CONDENSER_SOURCE_DIR) / "search";
  for (const int side : {32, 33, 34, 36, 40, 44, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224}) {
    INFO(side);
    const arch::Shape input{3, side, side};
    Reader space_reader = Reader::from_file(root / "spaces/columns_digits.yaml");
    const auto space = search::make_space(space_reader, {input, 3});
    Reader gate_reader = Reader::from_file(root / "budgets/mcu_32k.yaml");
    search::GateOptions options;
    search::read_options(gate_reader, options);
    options.arena_inputs = 3;
    search::fit_to_data(options, "my pictures", input);
    const search::Gate gate(options);
    core::Rng rng(3);
    int allowed = 0;
    for (int i = 0; i < 100; ++i) {
      allowed += search::passed(gate.before_training(space->expand(search::sample(*space, rng))));
    }
    CHECK(allowed >= 15);
  }
}

TEST_CASE("shipped spaces and budgets fit each other", "[search]") {
  const fs::path root = fs::path(CONDENSER_SOURCE_DIR) / "search";
  const auto share = [&](const std::string& space_file, const std::string& budget,
                         const search::SpaceContext& context) {
    Reader space_reader = Reader::from_file(root / "spaces" / space_file);
    const auto space = search::make_space(space_reader, context);
    space_reader.finish();
    Reader gate_reader = Reader::from_file(root / "budgets" / budget);
    search::GateOptions options;
    search::read_options(gate_reader, options);
    gate_reader.finish();
    const search::Gate gate(options);
    core::Rng rng(3);
    int allowed = 0;
    for (int i = 0; i < 100; ++i) {
      allowed += search::passed(gate.before_training(space->expand(search::sample(*space, rng))));
    }
    return allowed;
  };
  // A useful space gives the gate work and leaves the search room.
  const int digits = share("columns_digits.yaml", "mcu_32k.yaml", kDigits);
  CHECK(digits >= 20);
  CHECK(digits <= 95);
  const int cifar = share("columns_cifar.yaml", "cortex_m7_320k.yaml", {{3, 32, 32}, 10});
  CHECK(cifar >= 20);

  for (const auto& entry : fs::directory_iterator(root / "budgets")) {
    Reader reader = Reader::from_file(entry.path());
    search::GateOptions options;
    search::read_options(reader, options);
    CHECK_NOTHROW(reader.finish());
    CHECK_FALSE(options.device.empty());
    CHECK(options.max_arena_bytes > 0);
  }
}
