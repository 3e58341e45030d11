// The reference networks against their published counts, total, per block and per layer.

#include "condenser/arch/zoo.hpp"

#include "condenser/arch/analysis.hpp"
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
  CHECK(std::get<AvgPool>(spec.nodes[static_cast<size_t>(find_node(spec, "stem_pool"))].op).count_include_pad);
}

TEST_CASE("The 636 MF network has its counts", "[arch]") {
  const Spec spec = find_zoo("darwinnet_636mf").make({3, 224, 224}, 1000);
  const Analysis a = analyze(spec);
  CHECK(a.params == 4'963'920);
  CHECK(a.macs == 628'604'716);
  for (const Node& node : spec.nodes) CHECK_FALSE(std::holds_alternative<Softmax>(node.op));
}

TEST_CASE("Cards are complete and their defaults build", "[arch]") {
  for (const ZooCard& card : zoo()) {
    INFO(card.name);
    CHECK_FALSE(card.about.empty());
    CHECK_FALSE(card.source.empty());
    const Spec spec = card.make(card.input, card.classes);
    CHECK(spec.name == card.name);
    CHECK(analyze(spec).nodes.back().shape == Shape{card.classes, 1, 1});
    CHECK(&find_zoo(card.name) == &card);
  }
  CHECK_THROWS_WITH(find_zoo("dcac_sca_325"), Catch::Contains("did you mean 'dcac_sca_325mf'"));
  CHECK_THROWS_AS(find_zoo("resnet"), core::ConfigError);
  CHECK_THROWS_AS(find_zoo("dcac_sca_325mf").make({1, 28, 28}, 10), SpecError);  // five halvings of 28 leave nothing
}
