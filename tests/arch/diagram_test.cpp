// Diagrams and the layer table against approved text; CONDENSER_APPROVE=1 writes the text anew.
#include "condenser/arch/diagram.hpp"

#include <set>
#include <sstream>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/blocks.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/zoo.hpp"
#include "support/approve.hpp"
#include "support/exemplars.hpp"

namespace {

using namespace condenser;
using namespace condenser::arch;

// Stem, one attention block, head; names that are words of Mermaid and DOT.
Spec small_net() {
  Builder b("small net {1}", {3, 12, 12});
  int x = b.add("graph", Conv2d{8, square(3), square(2), pad_all(1)}, {0});
  x = b.add("graph_bn", BatchNorm{}, {x});
  x = column_block(b, x, "s1b1", {.channels = 12, .columns = 4, .stride = 2, .attention = true});
  x = b.add("end", Activation{ActivationKind::Relu6}, {x});
  classifier_head(b, x, 10);
  return b.finish();
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line.substr(line.find_first_not_of(' ')));
  return result;
}

}  // namespace

TEST_CASE("describe says an operator in a few words", "[arch]") {
  REQUIRE(describe(Conv2d{32, square(3), square(2), pad_all(1), 4}) == "conv 3x3/2 g4 -> 32");
  REQUIRE(describe(Conv2d{8, square(1), square(1), {}}) == "conv 1x1 -> 8");
  REQUIRE(describe(Conv2d{8, square(3), square(1), {}}) == "conv 3x3 pad 0 -> 8");
  REQUIRE(describe(Conv2d{8, {10, 4}, {2, 1}, {4, 5, 1, 2}, 1, true, Clamp::Relu}) ==
          "conv 10x4/2x1 pad 4,5,1,2 -> 8, relu");
  REQUIRE(describe(AvgPool{square(3), square(2), pad_all(1), true}) == "avg pool 3x3/2 pad 1 zeros counted");
  REQUIRE(describe(MaxPool{square(2), square(2), {}}) == "max pool 2x2/2");
  REQUIRE(describe(Activation{ActivationKind::HardSwish}) == "hard_swish");
  REQUIRE(describe(Linear{10}) == "linear -> 10");
  REQUIRE(describe(Add{Clamp::Relu6}) == "add, relu6");
}

TEST_CASE("diagrams of a small network are the approved ones", "[arch]") {
  const Spec spec = small_net();
  tests::approve("small_net.mmd", to_mermaid(spec));
  tests::approve("small_net.dot", to_dot(spec));
  tests::approve("small_net_lowered.mmd", to_mermaid(lower(spec, nullptr)));
  tests::approve("small_net_layers.txt", core::to_text(layer_table(spec)));
}

TEST_CASE("layer table: one row per node, columns add up to the analysis", "[arch]") {
  const Spec spec = small_net();
  const core::Table table = layer_table(spec);
  const Analysis analysis = analyze(spec);
  REQUIRE(table.rows.size() == spec.nodes.size());
  int64_t params = 0, macs = 0, bytes = 0;
  for (const auto& row : table.rows) {
    REQUIRE(row.size() == table.columns.size());
    params += std::stoll(row[4].json), macs += std::stoll(row[5].json), bytes += std::stoll(row[6].json);
  }
  REQUIRE(params == analysis.params);
  REQUIRE(macs == analysis.macs);
  REQUIRE(bytes == analysis.constant_bytes);
}

TEST_CASE("diagrams: every box is drawn once, edges join boxes and reach all", "[arch]") {
  std::vector<Spec> specs;
  for (const auto& exemplar : testing::exemplars()) specs.push_back(exemplar.spec);
  for (const ZooCard& card : zoo()) specs.push_back(card.make(card.input, card.classes));
  for (const Spec& spec : specs) {
    INFO(spec.name);
    std::set<std::string> boxes, targets;
    int depth = 0;
    for (const std::string& line : lines(to_mermaid(spec))) {
      const size_t arrow = line.find(" --> "), bracket = line.find("[\"");
      if (line.starts_with("subgraph ")) {
        ++depth;
      } else if (line == "end") {
        --depth;
      } else if (arrow != std::string::npos) {
        REQUIRE(boxes.contains(line.substr(0, arrow)));
        REQUIRE(boxes.contains(line.substr(arrow + 5)));
        targets.insert(line.substr(arrow + 5));
      } else if (bracket != std::string::npos) {
        REQUIRE(line.starts_with("n_"));
        REQUIRE(boxes.insert(line.substr(0, bracket)).second);
        REQUIRE(line.find('"', bracket + 2) == line.size() - 2);
      }
    }
    REQUIRE(depth == 0);
    REQUIRE(boxes.contains("n_" + spec.nodes[0].name));
    REQUIRE(targets.size() == boxes.size() - 1);  // all but the input
    const std::string dot = to_dot(spec);
    REQUIRE(std::count(dot.begin(), dot.end(), '{') == std::count(dot.begin(), dot.end(), '}'));
    for (const std::string& box : boxes) REQUIRE(dot.find(" " + box + " [label=") != std::string::npos);
  }
}
