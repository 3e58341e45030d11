// The reference networks against their published counts, total, per block and per layer.

#include "condenser/arch/zoo.hpp"

#include <array>
#include <cmath>
#include <set>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/memory.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/spec_io.hpp"
#include "support/catch.hpp"

using namespace condenser;
using namespace condenser::arch;

namespace {

struct Row {
  std::string prefix;
  Shape out;
  int64_t params, macs;
};

Spec dcac(int classes) { return find_zoo("dcac_sca_325mf").make({3, 224, 224}, classes); }

void check_row(const Spec& spec, const Analysis& a, const Row& row) {
  INFO(row.prefix);
  int64_t params = 0, macs = 0;
  Shape out;
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const std::string& name = spec.nodes[i].name;
    if (name != row.prefix && name.rfind(row.prefix + "_", 0) != 0) continue;
    params += a.nodes[i].params;
    macs += a.nodes[i].macs;
    out = a.nodes[i].shape;
  }
  CHECK(out == row.out);
  CHECK(params == row.params);
  CHECK(macs == row.macs);
}

// Products per output value.
int64_t depth_of(const Spec& spec, const Analysis& a, const std::string& name) {
  const size_t i = static_cast<size_t>(find_node(spec, name));
  return a.nodes[i].macs / a.nodes[i].shape.elements();
}

}  // namespace

TEST_CASE("The 325 MF network has the published totals", "[arch]") {
  const Analysis one = analyze(dcac(1));
  CHECK(one.params == 1'632'345);
  CHECK(one.macs == 318'952'524);
  const Analysis thousand = analyze(dcac(1000));
  CHECK(thousand.params == 2'376'600);
  CHECK(thousand.macs == 319'695'780);
}

TEST_CASE("The 325 MF network has the published blocks", "[arch]") {
  const Spec spec = dcac(1000);
  const Analysis a = analyze(spec);
  const Row rows[] = {
      {"stem", {32, 56, 56}, 3'296, 39'739'392},    {"s1b1", {40, 56, 56}, 8'000, 24'335'360},
      {"s1b2", {40, 56, 56}, 7'360, 22'579'200},    {"s2b1", {84, 28, 28}, 27'300, 21'008'064},
      {"s2b2", {84, 28, 28}, 32'088, 24'893'568},   {"s3b1", {352, 14, 14}, 178'112, 43'188'992},
      {"s3b2", {352, 14, 14}, 195'008, 37'945'600}, {"s3b3", {352, 14, 14}, 195'008, 37'945'600},
      {"s4b1", {744, 7, 7}, 985'428, 67'316'004},   {"gap", {744, 1, 1}, 0, 0},
      {"fc", {1000, 1, 1}, 745'000, 744'000},
  };
  int64_t params = 0;
  for (const Row& row : rows) {
    check_row(spec, a, row);
    params += row.params;
  }
  CHECK(params == a.params);  // no node outside these blocks costs anything
}

// Params of a convolution and its batch norm together.
TEST_CASE("The 325 MF network has the published layers", "[arch]") {
  const Spec spec = dcac(1000);
  const Analysis a = analyze(spec);
  const Row layers[] = {
      {"stem_c1", {32, 112, 112}, 864 + 64, 10'838'016},
      {"stem_c2", {32, 112, 112}, 2'304 + 64, 28'901'376},
      {"stem_pool", {32, 56, 56}, 0, 0},
      {"s1b1_c1", {40, 56, 56}, 2'880 + 80, 9'031'680},
      {"s1b1_c2", {40, 56, 56}, 3'600 + 80, 11'289'600},
      {"s1b1_sc", {40, 56, 56}, 1'280 + 80, 4'014'080},
      {"s1b2_c1", {40, 56, 56}, 3'600 + 80, 11'289'600},
      {"s1b2_c2", {40, 56, 56}, 3'600 + 80, 11'289'600},
      {"s2b1_pool", {40, 28, 28}, 0, 0},
      {"s2b1_c1", {84, 28, 28}, 7'560 + 168, 5'927'040},
      {"s2b1_c2", {84, 28, 28}, 15'876 + 168, 12'446'784},
      {"s2b1_scpool", {40, 28, 28}, 0, 0},
      {"s2b1_sc", {84, 28, 28}, 3'360 + 168, 2'634'240},
      {"s2b2_c1", {84, 28, 28}, 15'876 + 168, 12'446'784},
      {"s2b2_c2", {84, 28, 28}, 15'876 + 168, 12'446'784},
      {"s3b1_c1", {176, 28, 28}, 14'784 + 352, 11'590'656},
      {"s3b1_pool", {176, 14, 14}, 0, 0},
      {"s3b1_c2", {176, 14, 14}, 69'696 + 352, 13'660'416},
      {"s3b1_c3", {352, 14, 14}, 61'952 + 704, 12'142'592},
      {"s3b1_scpool", {84, 14, 14}, 0, 0},
      {"s3b1_sc", {352, 14, 14}, 29'568 + 704, 5'795'328},
      {"s3b2_c1", {176, 14, 14}, 61'952 + 352, 12'142'592},
      {"s3b2_c2", {176, 14, 14}, 69'696 + 352, 13'660'416},
      {"s3b2_c3", {352, 14, 14}, 61'952 + 704, 12'142'592},
      {"s3b3_c1", {176, 14, 14}, 61'952 + 352, 12'142'592},
      {"s3b3_c2", {176, 14, 14}, 69'696 + 352, 13'660'416},
      {"s3b3_c3", {352, 14, 14}, 61'952 + 704, 12'142'592},
      {"s4b1_c1", {372, 14, 14}, 130'944 + 744, 25'665'024},
      {"s4b1_pool", {372, 7, 7}, 0, 0},
      {"s4b1_c2", {372, 7, 7}, 311'364 + 744, 15'256'836},
      {"s4b1_c3", {744, 7, 7}, 276'768 + 1'488, 13'561'632},
      {"s4b1_scpool", {352, 7, 7}, 0, 0},
      {"s4b1_sc", {744, 7, 7}, 261'888 + 1'488, 12'832'512},
  };
  for (const Row& row : layers) check_row(spec, a, row);
  CHECK(depth_of(spec, a, "stem_c1") == 27);
  CHECK(depth_of(spec, a, "s2b1_c2") == 189);
  CHECK(depth_of(spec, a, "s4b1_c2") == 837);  // the longest sum of the network

  int convolutions = 0, condensers = 0;
  for (const Node& node : spec.nodes) {
    convolutions += std::holds_alternative<Conv2d>(node.op);
    condensers += std::holds_alternative<Mul>(node.op);
  }
  CHECK(convolutions == 26);
  CHECK(condensers == 4);
  CHECK(std::get<AvgPool>(spec.node(find_node(spec, "stem_pool")).op).count_include_pad);
}

TEST_CASE("The 636 MF network has no attention", "[arch]") {
  for (const Node& node : find_zoo("darwinnet_636mf").make({3, 224, 224}, 1000).nodes)
    CHECK_FALSE(std::holds_alternative<Softmax>(node.op));
}

namespace {

struct Counts {
  const char* name;
  int64_t params, macs;
};

// At the default input and class count. Counted independently from the published layer tables; equal to what the
// publications print, in their rounding. The last four include the biases that their Keras convolutions have besides
// batch norm.
constexpr Counts kCounts[] = {
    {"dcac_sca_325mf", 1'632'345, 318'952'524},
    {"darwinnet_636mf", 4'963'920, 628'604'716},
    {"attendnext_figure", 4'641'620, 652'588'648},
    {"dcac_659mf_guess", 4'971'280, 651'183'916},
    {"tinyspeech_x", 11'047, 10'980'456},
    {"tinyspeech_y", 4'232, 4'394'472},
    {"tinyspeech_z", 2'778, 2'721'144},
    {"tinyspeech_m", 4'744, 4'560'520},
    {"attendnet_b", 784'657, 190'570'592},
    {"mobilenet_v1", 4'231'976, 568'740'352},
    {"mobilenet_v2", 3'504'872, 300'774'272},
    {"mobilenet_v3_large", 5'483'032, 216'589'760},
    {"mobilenet_v3_small", 2'542'856, 56'510'400},
    {"mobileone_s0", 2'078'504, 275'110'400},
    {"mobileone_s1", 4'764'840, 825'057'024},
    {"mobileone_s0_train", 5'297'448, 1'100'706'304},
    {"mobileone_s1_train", 4'825'192, 830'062'080},
    {"fbnet_c", 5'570'664, 378'136'224},
    {"shufflenet_v2_1_0", 2'278'604, 144'907'992},
    {"ghostnet_1_0", 5'182'508, 141'150'512},
    {"efficientnet_b0", 5'288'548, 385'814'752},
    {"efficientnet_lite0", 4'652'008, 385'187'552},
    {"resnet50", 25'557'032, 4'089'184'256},
    {"resnet8", 78'186, 12'501'632},
    {"ds_cnn", 23'756, 2'656'768},
    {"mobilenet_v1_025_96", 216'322, 7'489'664},
    {"autoencoder_ad", 267'928, 264'192},
    // Counted by hand from the layers of audio_nets/tenet.py, batch norms with a scale.
    {"tenet6", 52'300, 1'946'304},
    {"tenet6_narrow", 16'172, 618'336},
};

// With batch norm folded, as in the published TFLite files (github.com/mlcommons/tiny).
constexpr Counts kLoweredCounts[] = {
    {"resnet8", 77'706, 12'501'632},
    {"ds_cnn", 22'604, 2'656'768},
    {"mobilenet_v1_025_96", 210'850, 7'489'664},
    {"autoencoder_ad", 265'864, 264'192},
};

Spec standard(const std::string& name) {
  const ZooCard& card = find_zoo(name);
  return card.make(card.input, card.classes);
}

Spec lowered(const std::string& name) { return lower(standard(name), nullptr); }

const NodeCost& cost_of(const Spec& spec, const Analysis& a, const std::string& name) {
  return a.node(find_node(spec, name));
}

// The rule behind the names of the column networks: multiply-accumulates + 2 per batch-norm output + 1 per average-pool
// output + (h w + 1) c of the global pool. It gives "325MF" and "636MF" exactly.
int64_t named_flops(const Spec& spec) {
  const Analysis a = analyze(spec);
  int64_t flops = a.macs;
  for (size_t i = 1; i < spec.nodes.size(); ++i) {
    const Shape in = a.node(spec.nodes[i].inputs[0]).shape, out = a.nodes[i].shape;
    if (std::holds_alternative<BatchNorm>(spec.nodes[i].op)) flops += 2 * out.elements();
    if (std::holds_alternative<AvgPool>(spec.nodes[i].op)) flops += out.elements();
    if (std::holds_alternative<GlobalAvgPool>(spec.nodes[i].op)) flops += (in.h * in.w + 1) * in.c;
  }
  return flops;
}

// Whether shapes other than the default are possible: an auto-encoder gives what it gets.
bool reconstructs(const ZooCard& card) { return card.task == "anomaly detection"; }

// Shapes, identity, files and memory of one network.
void check_sound(const Spec& spec, int classes) {
  INFO(spec.name << " " << to_string(spec.input));
  validate(spec);
  const Analysis a = analyze(spec);
  CHECK(a.nodes.back().shape == Shape{classes, 1, 1});
  for (const bool live : live_nodes(spec)) CHECK(live);
  const Spec read = parse_spec(to_yaml(spec), "yaml");
  CHECK(read == spec);
  CHECK(hash(read) == hash(spec));
  const Spec low = lower(spec, nullptr);
  const Analysis low_cost = analyze(low);
  CHECK(low_cost.nodes.back().shape == a.nodes.back().shape);
  const MemoryPlan plan = plan_memory(low, low_cost);
  CHECK(plan.peak_bytes >= plan.peak_live_bytes);
  CHECK(plan.peak_live_bytes >= spec.input.elements());
}

}  // namespace

TEST_CASE("TinySpeech networks beside their published sizes", "[arch]") {
  struct Published {
    const char* name;
    double params, macs, tolerance;
  };
  // Sizes as quoted, in thousands and millions. Y: its layer table contradicts its size (src/arch/zoo/tinyspeech.cpp).
  for (const Published& p : {Published{"tinyspeech_x", 10.8, 10.9, 0.03}, Published{"tinyspeech_y", 6.1, 6.5, 0.33},
                             Published{"tinyspeech_z", 2.7, 2.6, 0.05}, Published{"tinyspeech_m", 4.7, 4.4, 0.04}}) {
    const Analysis a = analyze(standard(p.name));
    const double params = static_cast<double>(a.params) / 1e3, macs = static_cast<double>(a.macs) / 1e6;
    INFO(p.name << ": " << params << " K, published " << p.params << " K; " << macs << " M, published " << p.macs
                << " M");
    CHECK(std::abs(params / p.params - 1) < p.tolerance);
    CHECK(std::abs(macs / p.macs - 1) < p.tolerance);
  }
}

TEST_CASE("Every reference network has its exact counts", "[arch]") {
  std::set<std::string> counted;
  for (const Counts& row : kCounts) {
    INFO(row.name);
    const Analysis a = analyze(standard(row.name));
    CHECK(a.params == row.params);
    CHECK(a.macs == row.macs);
    counted.insert(row.name);
  }
  for (const ZooCard& card : zoo()) CHECK(counted.count(card.name) == 1);
}

TEST_CASE("MLPerf Tiny networks, lowered, have the counts of the published files", "[arch]") {
  for (const Counts& row : kLoweredCounts) {
    INFO(row.name);
    const Analysis a = analyze(lowered(row.name));
    CHECK(a.params == row.params);
    CHECK(a.macs == row.macs);
  }
}

TEST_CASE("Reconstructed column networks have the size that is known of them", "[arch]") {
  CHECK(named_flops(find_zoo("dcac_sca_325mf").make({3, 224, 224}, 1000)) == 325'002'048);
  CHECK(named_flops(standard("darwinnet_636mf")) == 636'335'112);
  CHECK(std::lround(static_cast<double>(named_flops(standard("dcac_659mf_guess"))) / 1e4) == 65942);
  CHECK(std::lround(static_cast<double>(named_flops(standard("attendnext_figure"))) / 1e4) == 66024);
  for (const char* name : {"dcac_659mf_guess", "attendnext_figure"})
    CHECK(find_zoo(name).about.starts_with("not published; reconstruction"));
}

TEST_CASE("Training and inference forms of MobileOne have the same shapes", "[arch]") {
  for (const std::string name : {"mobileone_s0", "mobileone_s1"}) {
    const Spec train = standard(name + "_train"), shipped = standard(name);
    const Analysis a = analyze(train), b = analyze(shipped);
    for (const char* unit : {"s1b1", "s2b1", "s2b8", "s3b10", "s4b1"}) {
      const std::string block = unit;
      CHECK(cost_of(train, a, block + "_dw_act").shape == cost_of(shipped, b, block + "_dw_act").shape);
      CHECK(cost_of(train, a, block + "_pw_act").shape == cost_of(shipped, b, block + "_pw_act").shape);
    }
  }
}

TEST_CASE("Reference networks have the published shapes inside", "[arch]") {
  struct Spot {
    const char* network;
    const char* node;
    Shape out;
  };
  const Spot spots[] = {
      {"mobilenet_v1", "b13_pw_act", {1024, 7, 7}},
      {"mobilenet_v2", "s4b1_pwl_bn", {64, 14, 14}},
      {"mobilenet_v2", "features_act", {1280, 7, 7}},
      {"mobilenet_v3_large", "b4_se_reduce", {24, 1, 1}},
      {"mobilenet_v3_large", "features_act", {960, 7, 7}},
      {"mobilenet_v3_large", "hidden_act", {1280, 1, 1}},
      {"mobilenet_v3_small", "b1_se_mul", {16, 56, 56}},
      {"mobileone_s0", "s4b1_pw_act", {1024, 7, 7}},
      {"mobileone_s1", "stem_act", {64, 112, 112}},
      {"fbnet_c", "b21_pwl_bn", {352, 7, 7}},
      {"shufflenet_v2_1_0", "s1b1_shuffle", {116, 28, 28}},
      {"shufflenet_v2_1_0", "s2b2_left", {116, 14, 14}},
      {"ghostnet_1_0", "b2_ghost1_concat", {48, 112, 112}},
      {"ghostnet_1_0", "b16_add", {160, 7, 7}},
      {"efficientnet_b0", "s2b1_se_reduce", {4, 1, 1}},
      {"efficientnet_b0", "s6b4_add", {192, 7, 7}},
      {"efficientnet_lite0", "s5b3_add", {112, 14, 14}},
      {"resnet50", "pool", {64, 56, 56}},
      {"resnet50", "s3b6_act", {1024, 14, 14}},
      {"resnet8", "b3_act", {64, 8, 8}},
      {"ds_cnn", "b4_pw_act", {64, 25, 5}},
      {"mobilenet_v1_025_96", "b13_pw_act", {256, 3, 3}},
      {"autoencoder_ad", "code_act", {8, 1, 1}},
  };
  for (const Spot& spot : spots) {
    INFO(spot.network << " " << spot.node);
    const Spec spec = standard(spot.network);
    CHECK(cost_of(spec, analyze(spec), spot.node).shape == spot.out);
  }
}

TEST_CASE("MLPerf Tiny networks are padded as TensorFlow does", "[arch]") {
  const auto pad = [](const std::string& network, const std::string& node) {
    const Spec spec = standard(network);
    return std::get<Conv2d>(spec.node(find_node(spec, node)).op).pad;
  };
  CHECK(pad("ds_cnn", "stem") == Pad{4, 5, 1, 1});
  CHECK(pad("ds_cnn", "b1_dw") == pad_all(1));
  CHECK(pad("resnet8", "stem") == pad_all(1));
  CHECK(pad("resnet8", "b2_c1") == Pad{0, 1, 0, 1});
  CHECK(pad("resnet8", "b2_sc") == Pad{});
  CHECK(pad("mobilenet_v1_025_96", "b4_dw") == Pad{0, 1, 0, 1});
}

TEST_CASE("ResNet-8 fits 51.3 KB of int8 activations", "[arch]") {
  const Spec low = lowered("resnet8");
  const MemoryPlan plan = plan_memory(low, analyze(low));
  INFO("resnet8: int8 arena " << plan.peak_bytes << " bytes");
  // The stem's map, kept for the shortcut, two more of 16x32x32, and lines of patches of two columns: of
  // six rows of windows of 3x3x16, and the weights of two channels.
  CHECK(plan.peak_bytes == 49'152 + 4 * 48 * (5 + 2 * 3));
  CHECK(plan.peak_bytes <= 51'300);
}

TEST_CASE("Reference networks are sound by default, with other classes and at 96x96", "[arch]") {
  for (const ZooCard& card : zoo()) {
    check_sound(card.make(card.input, card.classes), card.classes);
    if (reconstructs(card)) {
      check_sound(card.make({128, 1, 1}, 128), 128);
      CHECK_THROWS_WITH(card.make(card.input, 10), Catch::Contains("10 outputs for 640 inputs"));
      continue;
    }
    check_sound(card.make(card.input, 7), 7);
    check_sound(card.make({card.input.c, 96, 96}, 10), 10);
  }
}

TEST_CASE("Cards are complete and their defaults build", "[arch]") {
  for (const ZooCard& card : zoo()) {
    INFO(card.name);
    for (const std::string& text : {card.family, card.about, card.task, card.source}) CHECK_FALSE(text.empty());
    CHECK((card.accuracy_percent || card.int8_accuracy_percent || !card.unknown.empty()));
    if (card.accuracy_percent || card.int8_accuracy_percent) CHECK_FALSE(card.data.empty());
    CHECK(standard(card.name).name == card.name);
    CHECK(&find_zoo(card.name) == &card);
  }
  CHECK_THROWS_WITH(find_zoo("dcac_sca_325"), Catch::Contains("did you mean 'dcac_sca_325mf'"));
  CHECK_THROWS_WITH(find_zoo("mobilenetv2"), Catch::Contains("did you mean 'mobilenet_v2'"));
  CHECK_THROWS_AS(find_zoo("transformer"), core::ConfigError);
  CHECK_THROWS_AS(find_zoo("dcac_sca_325mf").make({1, 28, 28}, 10), SpecError);  // five halvings of 28 leave nothing
}

TEST_CASE("Comparators known by their numbers have no network and say their source", "[arch]") {
  std::set<std::string> names;
  for (const ZooCard& card : zoo()) names.insert(card.name);
  for (const PublishedRow& row : published_rows()) {
    INFO(row.name);
    CHECK(names.insert(row.name).second);
    for (const std::string& text : {row.task, row.data, row.source}) CHECK_FALSE(text.empty());
    CHECK((row.params_millions || row.macs_millions || !row.claims.empty()));
    CHECK((row.accuracy_percent || !row.claims.empty()));
  }
  const auto row = std::find_if(published_rows().begin(), published_rows().end(),
                                [](const PublishedRow& r) { return r.name == "mcunet_in4"; });
  REQUIRE(row != published_rows().end());
  CHECK(row->input == Shape{3, 160, 160});
  CHECK(row->macs_millions == 125.9);
  CHECK(row->flash_kb == 1876.0);
  CHECK(row->int8_accuracy_percent == 68.0);
}
