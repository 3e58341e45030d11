// The spaces beside `columns`: published networks are members, keys mean what they say.

#include <filesystem>

#include "condenser/arch/passes.hpp"
#include "condenser/arch/rules.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/text.hpp"
#include "condenser/search/survey.hpp"
#include "support/catch.hpp"

using namespace condenser;
using Catch::Contains;
using core::config::Reader;

namespace {

std::unique_ptr<search::Space> make(const std::string& yaml, const search::SpaceContext& context) {
  Reader reader = Reader::from_text(yaml, "space.yaml");
  auto space = search::make_space(reader, context);
  reader.finish();
  return space;
}

// The one network of a space whose file decides everything.
arch::Design only(const std::string& yaml, const search::SpaceContext& context) {
  const auto space = make(yaml, context);
  CHECK(search::log10_size(*space) == 0);
  return space->expand({std::vector<int>(space->decisions().size(), 0)});
}

// Stages (width, depth) of bottlenecks around ResNet-50.
arch::Design resnet(const std::vector<std::pair<int, int>>& stages) {
  std::string yaml =
      "space: stages\nblock: bottleneck\nstages: [4]\nstem_width: [64]\nstem_window: 7\nstem_stride: 2\nstem_pool: "
      "max\n"
      "downsampling: [stride]\n";
  for (size_t i = 0; i < stages.size(); ++i)
    yaml += "s" + std::to_string(i + 1) + ": {width: [" + std::to_string(stages[i].first) + "], depth: [" +
            std::to_string(stages[i].second) + "], kernel: [3], expansion: [4]}\n";
  return only(yaml, {{3, 224, 224}, 3});
}

// What a common profiler counts: multiply-accumulates, two for each output of a batch norm, sum and mean of the pool.
int64_t profiled(const arch::Design& d) {
  int64_t count = d.cost.macs;
  for (size_t i = 0; i < d.spec.nodes.size(); ++i) {
    const int id = static_cast<int>(i);
    if (std::holds_alternative<arch::BatchNorm>(d.spec.node(id).op)) count += 2 * d.cost.node(id).shape.elements();
    if (std::holds_alternative<arch::GlobalAvgPool>(d.spec.node(id).op))
      count += d.cost.node(d.spec.node(id).inputs[0]).shape.elements() + d.cost.node(id).shape.elements();
  }
  return count;
}

// Means and variances of batch norms, which some count as parameters.
int64_t statistics(const arch::Design& d) {
  int64_t count = 0;
  for (size_t i = 0; i < d.spec.nodes.size(); ++i) {
    const int id = static_cast<int>(i);
    if (std::holds_alternative<arch::BatchNorm>(d.spec.node(id).op)) count += 2 * d.cost.node(id).shape.c;
  }
  return count;
}

const arch::Conv2d& conv(const arch::Spec& spec, const std::string& node) {
  return std::get<arch::Conv2d>(spec.node(arch::find_node(spec, node)).op);
}

template <class Op>
int64_t count(const arch::Spec& spec) {
  return std::count_if(spec.nodes.begin(), spec.nodes.end(),
                       [](const arch::Node& n) { return std::holds_alternative<Op>(n.op); });
}

}  // namespace

// Published figures of the product form: ResNet-50 with three outputs, and what it was reduced to at ratios of one half
// and one fifth; the parameters of the latter two hold the statistics of batch norms.
TEST_CASE("the space stages holds ResNet-50 and its published reductions", "[search]") {
  const arch::Design whole = resnet({{64, 3}, {128, 4}, {256, 6}, {512, 3}});
  CHECK(whole.cost.params == 23'514'179);
  CHECK(profiled(whole) == 4'109'472'768);
  CHECK(arch::hash(whole.spec) == arch::hash(arch::find_zoo("resnet50").make({3, 224, 224}, 3)));
  const arch::Design half = resnet({{51, 2}, {103, 3}, {208, 4}, {428, 2}});
  CHECK(half.cost.params + statistics(half) == 11'249'228);
  CHECK(profiled(half) == 2'036'724'776);
  const arch::Design fifth = resnet({{35, 1}, {72, 2}, {150, 3}, {324, 1}});
  CHECK(fifth.cost.params + statistics(fifth) == 3'888'956);
  CHECK(profiled(fifth) == 814'206'824);
}

TEST_CASE("the space stages holds MobileNetV2", "[search]") {
  std::string yaml =
      "space: stages\nblock: inverted\nstages: [7]\nstem_width: [32]\nstem_stride: 2\nactivation: [relu6]\n"
      "downsampling: [stride]\nhead_width: [1280]\nstage_strides: [1, 2, 2, 2, 1, 2, 1]\n";
  const int rows[7][3] = {{1, 16, 1}, {6, 24, 2}, {6, 32, 3}, {6, 64, 4}, {6, 96, 3}, {6, 160, 3}, {6, 320, 1}};
  for (int i = 0; i < 7; ++i)
    yaml += "s" + std::to_string(i + 1) + ": {expansion: [" + std::to_string(rows[i][0]) + "], width: [" +
            std::to_string(rows[i][1]) + "], depth: [" + std::to_string(rows[i][2]) + "], kernel: [3]}\n";
  const arch::Design d = only(yaml, {{3, 224, 224}, 1000});
  CHECK(d.cost.params == 3'504'872);
  CHECK(d.cost.macs == 300'774'272);
  CHECK(arch::hash(d.spec) == arch::hash(arch::find_zoo("mobilenet_v2").make({3, 224, 224}, 1000)));
}

TEST_CASE("stages of pictures: pools in place of strides, blocks of each kind", "[search]") {
  const std::string yaml =
      "stages: [2]\nstem_width: [8]\nstage_strides: [1, 2]\ns1: {width: [8], depth: [1], kernel: [3]EXP}\n"
      "s2: {width: [16], depth: [2], kernel: [5]EXP}\n";
  const auto net = [&](const std::string& block, const std::string& down) {
    std::string text = "space: stages\nblock: " + block + "\ndownsampling: [" + down + "]\n" + yaml;
    for (size_t at; (at = text.find("EXP")) != std::string::npos;)
      text.replace(at, 3, block == "basic" ? "" : ", expansion: [2]");
    return only(text, {{3, 32, 32}, 10}).spec;
  };
  for (const char* block : {"basic", "bottleneck", "inverted"}) {
    INFO(block);
    const arch::Spec pooled = net(block, "pool"), strided = net(block, "stride");
    CHECK(count<arch::AvgPool>(strided) == 0);
    CHECK(count<arch::AvgPool>(pooled) == (std::string(block) == "inverted" ? 1 : 2));
    for (const arch::Rule& rule : arch::rules())
      if (rule.name != "column_layout") CHECK(rule.check(pooled).empty());
  }
  CHECK(conv(net("basic", "pool"), "s2b2_c1").kernel == arch::square(5));
  CHECK(conv(net("bottleneck", "pool"), "s2b1_c3").out == 32);
  CHECK(conv(net("inverted", "pool"), "s2b2_dw").groups == 32);
}

TEST_CASE("the space temporal sees time alone behind its first layer, whichever axis time has", "[search]") {
  const std::string yaml =
      "space: temporal\nstages: [2]\nstem_width: [16]\nstem_kernel: [5]\ns1: {width: [16], depth: [2], kernel: [9], "
      "expansion: [3]}\ns2: {width: [24], depth: [1], kernel: [7], expansion: [2]}\n";
  const arch::Design rows = only(yaml, {{1, 49, 10}, 12}), columns = only(yaml, {{1, 10, 49}, 12});
  const auto shape = [](const arch::Design& d, const char* node) {
    return d.cost.node(arch::find_node(d.spec, node)).shape;
  };
  CHECK(conv(rows.spec, "stem").kernel == arch::Size{5, 10});
  CHECK(shape(rows, "stem") == arch::Shape{16, 49, 1});
  CHECK(shape(columns, "stem") == arch::Shape{16, 1, 49});
  CHECK(conv(rows.spec, "s1b1_dw").kernel == arch::Size{9, 1});
  CHECK(conv(columns.spec, "s1b1_dw").kernel == arch::Size{1, 9});
  CHECK(conv(rows.spec, "s1b1_dw").groups == 48);
  CHECK(shape(rows, "s1b1_pool").h == 24);
  CHECK(count<arch::Add>(rows.spec) == 1);  // the second block of stage 1
  CHECK(rows.cost.params == columns.cost.params);
  CHECK(rows.cost.macs == columns.cost.macs);
  const arch::Design turned = only(yaml + "time: columns\n", {{1, 49, 10}, 12});
  CHECK(shape(turned, "stem") == arch::Shape{16, 1, 10});
  CHECK_THROWS_WITH(make(yaml + "stem_window: 3\n", {{1, 49, 10}, 12}), Contains("stem_window"));
  CHECK_THROWS_WITH(make("space: temporal\ns1: {kernel: [4]}\n", {{1, 49, 10}, 12}), Contains("odd sizes"));
  CHECK_THROWS_WITH(make("space: temporal\n", {{1, 4, 3}, 12}), Contains("would halve a map of 1 pixel"));
}

TEST_CASE("the released network is a member of the space attendnext", "[search]") {
  const auto space = make(
      "space: attendnext\nactivation: [silu]\ns1: {width: [16, 40], attention: [\"true\"]}\n"
      "s2: {width: [84], attention: [\"true\"]}\ns3: {width: [176], attention: [\"true\"]}\n"
      "s4: {width: [372], attention: [\"true\"]}\n",
      {{3, 224, 224}, 1000});
  const search::Genotype published = search::parse_genotype(
      *space,
      "stem_width=32 activation=silu s1_width=40 s1_depth=2 s1_attention=true s2_depth=2 s2_attention=true s3_depth=3 "
      "s3_attention=true s4_depth=1 s4_attention=true");
  const arch::Design d = space->expand(published);
  CHECK(d.cost.params == 2'376'600);
  CHECK(d.cost.macs == 319'695'780);
  CHECK(arch::hash(d.spec) == arch::hash(arch::find_zoo("dcac_sca_325mf").make({3, 224, 224}, 1000)));
  CHECK_THROWS_WITH(make("space: attendnext\ns1: {width: [18]}\n", {{3, 224, 224}, 10}), Contains("multiples of 4"));
  const auto small = make("space: attendnext\n", {{1, 28, 28}, 10});
  CHECK(search::value(*small, {std::vector<int>(small->decisions().size(), 0)}, "reduction") == 1);
}

TEST_CASE("a batch norm behind the product of the attention is one more form of it", "[search]") {
  const std::string yaml =
      "space: columns\nstages: [1]\nstage_strides: [2]\nstem_width: [8]\nactivation: [silu]\nmerge_stage: [1]\n"
      "downsampling: [avg2, blur3]\ns1: {width: [16], depth: [2], columns: [2], block: [basic], kernel: [3], "
      "attention: ['false', 'true', rescaled, normalized]}\n";
  const auto space = make(yaml, {{1, 28, 28}, 10});
  const auto net = [&](const std::string& attention, const std::string& pool) {
    return space->expand(search::parse_genotype(*space, "s1_attention=" + attention + " downsampling=" + pool));
  };
  const arch::Design normalized = net("normalized", "avg2");
  const int norm = arch::find_node(normalized.spec, "s1b1_norm");
  CHECK(std::holds_alternative<arch::BatchNorm>(normalized.spec.node(norm).op));
  CHECK(std::holds_alternative<arch::Mul>(normalized.spec.node(normalized.spec.node(norm).inputs[0]).op));
  CHECK(normalized.cost.params == net("true", "avg2").cost.params + 32);
  CHECK(std::get<arch::Softmax>(net("rescaled", "avg2").spec.node(arch::find_node(normalized.spec, "s1b1_softmax")).op)
            .rescale);
  CHECK(count<arch::BlurPool>(net("true", "blur3").spec) == 2);
  CHECK(count<arch::Softmax>(net("false", "blur3").spec) == 0);
}

TEST_CASE("the networks of attention condensers that were re-implemented are members of condenser_kws", "[search]") {
  const auto z = only(
      "space: condenser_kws\nblocks: [6]\nwidth: [7]\nstem_stride: [1]\nexpansion: [2]\nkernel: [1]\nwindow: [2]\n"
      "condensation: [max]\nform: [additive]\nbatch_norm: ['false']\nlast_width: [17]\nlast_stride: [2]\n"
      "ac1: {embedding: [3]}\nac2: {embedding: [3]}\nac3: {embedding: [2]}\nac4: {embedding: [11]}\n"
      "ac5: {embedding: [14]}\nac6: {embedding: [10]}\n",
      {{1, 40, 101}, 12});
  CHECK(arch::hash(z.spec) == arch::hash(arch::find_zoo("tinyspeech_z").make({1, 40, 101}, 12)));
  CHECK_THROWS_WITH(make("space: condenser_kws\nwindow: [8]\n", {{1, 49, 10}, 12}), Contains("at most 5"));
}

// What search/README.md and the files themselves say of sizes: 5 % of the networks may be smaller, 5 % larger.
TEST_CASE("files of spaces hold networks of the sizes they speak of, for a device", "[search]") {
  struct File {
    const char* name;
    search::SpaceContext context;
    double least, most;  // parameters
  };
  const search::SpaceContext digits{{1, 28, 28}, 10}, words{{1, 49, 10}, 12}, pictures{{3, 224, 224}, 1000};
  const File files[] = {{"stages_digits.yaml", digits, 5'000, 60'000},
                        {"inverted_digits.yaml", digits, 3'000, 30'000},
                        {"attendnext_digits.yaml", digits, 4'000, 60'000},
                        {"condenser_kws.yaml", words, 2'000, 12'000},
                        {"temporal_kws.yaml", words, 3'000, 30'000},
                        {"attendnext_imagenet.yaml", pictures, 1'000'000, 8'000'000},
                        {"stages_resnet50.yaml", pictures, 5'000'000, 30'000'000}};
  for (const File& file : files) {
    INFO(file.name);
    Reader reader = Reader::from_file(std::filesystem::path(CONDENSER_SOURCE_DIR) / "search/spaces" / file.name);
    const auto space = search::make_space(reader, file.context);
    REQUIRE_NOTHROW(reader.finish());
    search::GateOptions options;
    options.rules = {"no_strided_pointwise", "antialiased_downsampling"};
    core::Rng rng(1);
    const search::Survey s = search::survey(*space, search::Gate(options), 400, rng);
    CHECK(search::quantile(s.costs[0].drawn, 0.05) >= file.least);
    CHECK(search::quantile(s.costs[0].drawn, 0.95) <= file.most);
    CHECK(s.share() == (std::string(file.name) == "stages_resnet50.yaml" ? 0 : 1));
  }
}

TEST_CASE("weights of 4 bits as a decision belong to the network", "[search]") {
  const std::string columns = "space: columns\nstem_width: [16]\n";
  const auto plain = make(columns, {{1, 28, 28}, 10});
  const auto space = make(columns + "int4: [all, none, inner]\n", {{1, 28, 28}, 10});
  CHECK(space->decisions().size() == plain->decisions().size() + 1);
  core::Rng rng(3, 0);
  search::Genotype genotype = search::sample(*plain, rng);
  const search::Candidate bare = plain->expand(genotype);
  std::vector<search::Candidate> made;
  for (int option = 0; option < 3; ++option) {
    search::Genotype chosen = genotype;
    chosen.choice.push_back(option);
    CHECK(search::option_text(space->decisions().back(), option) == std::vector{"none", "inner", "all"}[option]);
    made.push_back(space->expand(chosen));
    const search::Candidate& c = made.back();
    const arch::Spec again = arch::lower(c.spec, nullptr);
    REQUIRE(again.nodes.size() == c.lowered.nodes.size());
    for (size_t i = 0; i < again.nodes.size(); ++i)
      CHECK(arch::weight_bits(again.nodes[i].op) == arch::weight_bits(c.lowered.nodes[i].op));
    CHECK(c.lowered_cost.constant_bytes == arch::analyze(again).constant_bytes);
    CHECK(c.cost.params == bare.cost.params);
  }
  CHECK(search::identity(made[0]) == search::identity(bare));
  CHECK(search::identity(made[1]) != search::identity(bare));
  CHECK(search::fingerprint(made[1]) != search::fingerprint(made[2]));
  CHECK(made[1].lowered_cost.constant_bytes < 0.7 * static_cast<double>(bare.lowered_cost.constant_bytes));
  CHECK(made[2].lowered_cost.constant_bytes < made[1].lowered_cost.constant_bytes);
  CHECK_THROWS_WITH(make(columns + "int4: [some]\n", {{1, 28, 28}, 10}), Contains("none, inner, all"));
}
