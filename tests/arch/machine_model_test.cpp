// What networks take of machines: counts by hand, the table as text, estimates as sums.

#include "condenser/arch/machine_model.hpp"

#include <cmath>
#include <map>

#include "condenser/arch/builder.hpp"
#include "condenser/arch/design.hpp"
#include "condenser/arch/zoo.hpp"
#include "support/catch.hpp"

using namespace condenser;
using namespace condenser::arch;

namespace {

std::map<std::string, double> counts_of(const Op& op, const Shape& in, const Shape& out) {
  const Kernel* kernel = choose_kernel(op, std::span(&in, 1));
  REQUIRE(kernel != nullptr);
  const KernelCounts& row = kernel_counts(*kernel);
  double counts[kMaxCounts];
  row.count(op, std::span(&in, 1), out, counts);
  std::map<std::string, double> result;
  for (size_t i = 0; i < row.names.size(); ++i) result[row.names[i]] = counts[i];
  return result;
}

Design small_network() {
  Builder b("small", {8, 6, 6});
  const int conv = b.add("conv", Conv2d{8, square(3), square(1), pad_all(1)}, {0});
  const int pool = b.add("pool", GlobalAvgPool{}, {conv});
  b.add("linear", Linear{5}, {pool});
  return design_of(b);
}

}  // namespace

TEST_CASE("counts of a convolution, by hand", "[arch]") {
  // 5 x 4 outputs of 6 channels: 10 pairs of pixels, so 20 patches, of lines of 3 * 5 values; 3 pairs of channels.
  auto c = counts_of(Conv2d{6, square(3), square(1), pad_all(1)}, {5, 5, 4}, {6, 5, 4});
  CHECK(c["calls"] == 1);
  CHECK(c["twos"] == 10);
  CHECK(c["patches"] == 20);
  CHECK(c["border_patches"] == 20 - 3 * 2);
  CHECK(c["cleared"] == (20 * 9 - 13 * 10) * 5);  // rows meet 13 of 15 lines, columns 10 of 12
  CHECK(c["border_lines"] == 14 * 3);
  CHECK(c["runs"] == 13 * 4);
  CHECK(c["runs_16s"] == 0);
  CHECK(c["runs_4s"] == 52 * 3);
  CHECK(c["runs_1s"] == 52 * 3);
  CHECK(c["odd_fours"] == 52 * 3);
  CHECK(c["pairs"] == 30);
  CHECK(c["pairs_16s"] == 30 * 2);
  CHECK(c["pairs_4s"] == 30 * 3);
  CHECK(c["pairs_1s"] == 30);
  CHECK(c["broken_pairs"] == 30);
  CHECK(c["relu6_pairs"] == 0);
  // Two pairs of columns, 2 + 2 + 1 rows of which see 4 + 4 + 3 lines, of those 9 of the input.
  CHECK(c["bands"] == 2 * 3);
  CHECK(c["put_lines"] == 2 * 9 * 2);
  CHECK(c["puts_4s"] == 36 * 3);
  CHECK(c["outside_lines"] == 2 * 2 * 2);
  CHECK(c["outside_fours"] == 8 * 4);
  CHECK(c["weight_pairs"] == 6 * 3);
  CHECK(c["widened"] == 18 * 3);
  CHECK(c["rests"] == 18 * 3);
  CHECK(c["tiles"] == 2 * 5 * 3);
  CHECK(c["tile_loops"] == 30 * 2);
  CHECK(c["tile_steps"] == 30 * 12);
  // In groups, one column of the window is a run, and an odd number of pixels ends with half a pair.
  c = counts_of(Conv2d{4, square(3), square(2), {}, 2, false, Clamp::Relu6}, {8, 7, 7}, {4, 3, 3});
  CHECK(c["twos"] == 5);
  CHECK(c["patches"] == 20);
  CHECK(c["border_patches"] == 0);
  CHECK(c["runs"] == Approx(20 * 9));
  CHECK(c["runs_4s"] == Approx(20 * 9));
  CHECK(c["pairs"] == 10);
  CHECK(c["relu6_pairs"] == 10);
}

TEST_CASE("counts of a depthwise convolution, by hand", "[arch]") {
  // 3 channels of 70 x 20: every row is read once; of a channel, fillings of as many lines as scratch has room for.
  auto c = counts_of(Conv2d{3, square(3), square(1), pad_all(1), 3}, {3, 70, 20}, {3, 70, 20});
  const double fillings = std::ceil(70.0 / (kDepthwiseRowsAhead + 1));
  CHECK(c["channels"] == 3);
  CHECK(c["weights"] == 27);
  CHECK(c["fillings"] == 3 * fillings);
  CHECK(c["rows"] == 3 * 70);
  CHECK(c["filled"] == 3 * 2);
  CHECK(c["moved"] == 3 * (fillings - 1) * 2 * 24);  // two rows of 19 + 4 values, made even
  CHECK(c["lines"] == 3 * 70);
  CHECK(c["short_lines"] == 0);
  CHECK(c["nines_1"] == 3 * 70 * 5);
  CHECK(c["nine_lines"] == 3 * 70);
  CHECK(c["nines_2"] == 0);
  CHECK(c["quads_1"] == 0);
  CHECK(c["wide_values"] == 0);
  CHECK(c["taps"] == 3 * 70 * 20 * 9);
}

TEST_CASE("counts of linear layers and pools, by hand", "[arch]") {
  auto c = counts_of(Linear{10}, {37, 1, 1}, {10, 1, 1});
  CHECK(c["fours"] == 2);
  CHECK(c["fours_16s"] == 4);
  CHECK(c["fours_4s"] == 2);
  CHECK(c["fours_1s"] == 2);
  CHECK(c["rest"] == 2);
  CHECK(c["values"] == 10);
  c = counts_of(AvgPool{square(2), square(2)}, {40, 4, 4}, {40, 2, 2});
  CHECK(c["blocks"] == 8);
  CHECK(c["values"] == 160);
  CHECK(c["window_fours"] == 16 * 10);
  CHECK(c["rest"] == 0);
}

TEST_CASE("every kernel is counted, and measured on every machine", "[arch]") {
  for (const Kernel& kernel : kernels()) {
    INFO(kernel.name);
    CHECK(std::string(kernel_counts(kernel).kernel) == kernel.name);
    CHECK(kernel_counts(kernel).names.size() <= kMaxCounts);
  }
  REQUIRE_FALSE(machine_models().empty());
  for (const MachineModel& model : machine_models()) {
    for (size_t k = 0; k < kernels().size(); ++k) {
      INFO(model.name << ", " << kernels()[k].name);
      CHECK_FALSE(model.kernels[k].instructions.empty());
      CHECK_FALSE(model.kernels[k].sources.empty());
      CHECK((model.kernels[k].stack_bytes > 0) == knows_stack(model));
      CHECK(model.kernels[k].cycles.empty() != knows_cycles(model));
    }
  }
  CHECK(find_machine_model("cortex-m4") != nullptr);
  CHECK(find_machine_model("cortex-m5") == nullptr);
  CHECK(knows_cycles(*find_machine_model("cortex-m4")));
}

TEST_CASE("a larger network takes more cycles, and every instruction at least one", "[arch]") {
  const auto costs = [](const MachineModel& model, int channels, int size) {
    Builder b("chain", {channels, size, size});
    const int conv = b.add("conv", Conv2d{channels, square(3), square(1), pad_all(1)}, {0});
    b.add("depthwise", Conv2d{channels, square(3), square(1), pad_all(1), channels}, {conv});
    const Design d = design_of(b);
    return machine_costs(model, d.lowered, d.lowered_cost);
  };
  for (const MachineModel& model : machine_models()) {
    if (!knows_cycles(model)) continue;
    const MachineCosts small = costs(model, 8, 12), wide = costs(model, 16, 12), high = costs(model, 8, 24);
    INFO(model.name);
    CHECK(small.cycles >= small.instructions);
    CHECK(wide.cycles > small.cycles);
    CHECK(high.cycles > small.cycles);
    for (const char* name : {"resnet8", "ds_cnn"}) {
      const ZooCard& card = find_zoo(name);
      const Design d = design_of(card.make(card.input, card.classes));
      const MachineCosts c = machine_costs(model, d.lowered, d.lowered_cost);
      CHECK(c.cycles > c.instructions);
      CHECK(c.cycles < 3 * c.instructions);
    }
  }
}

TEST_CASE("models are read as they are written, and nonsense is refused with its line", "[arch]") {
  const std::string text = to_csv(machine_models());
  CHECK(to_csv(parse_machine_models(text)) == text);
  const auto refuses = [](const std::string& row, const std::string& what) {
    CHECK_THROWS_WITH(parse_machine_models("# x\n" + row + "\n"), Catch::Contains("line 2") && Catch::Contains(what));
  };
  refuses("cortex-m4,conv2d,instructions", "cortex-m4,conv2d");
  refuses("cortex-m4,conv3d,instructions,calls,1", "conv3d");
  refuses("cortex-m4,conv2d,instructions,lines_of_code,1", "lines_of_code");
  refuses("cortex-m4,conv2d,instructions,calls,-1", "-1");
  refuses("cortex-m4,conv2d,instructions,calls,many", "many");
}

TEST_CASE("a network takes the sum of its layers, and each source once", "[arch]") {
  const auto models = parse_machine_models(
      "m,run,instructions,calls,10\nm,run,cycles,calls,15\nm,run,code,call,30\nm,run,stack,bytes,8\n"
      "m,conv2d,instructions,pairs,2\nm,conv2d,cycles,pairs,3\nm,conv2d,code,call,20\nm,conv2d,code,cnd_conv2d.c,500\n"
      "m,conv2d,code,cnd_scale.c,60\nm,conv2d,stack,bytes,200\n"
      "m,linear,instructions,values,3\nm,linear,cycles,values,4\nm,linear,code,cnd_linear.c,100\nm,linear,code,cnd_"
      "scale.c,60\n"
      "m,linear,stack,bytes,90\n"
      "m,global_avg_pool,instructions,values,1\nm,global_avg_pool,cycles,values,2\nm,global_avg_pool,stack,bytes,40\n");
  const Design d = small_network();
  std::vector<double> by_node;
  const MachineCosts c = machine_costs(models.front(), d.lowered, d.lowered_cost, nullptr, &by_node);
  CHECK(by_node == std::vector<double>{0, 2 * 18 * 4, 8, 15});
  CHECK(c.instructions == 10 + 144 + 8 + 15);
  CHECK(c.code_bytes == 30 + 20 + 500 + 60 + 100);
  CHECK(c.stack_bytes == 208);
  CHECK(c.cycles == 15 + 3 * 18 * 4 + 2 * 8 + 4 * 5);
  // A kernel that was not measured makes the whole unknown.
  const auto poor = parse_machine_models("m,conv2d,instructions,pairs,2\nm,conv2d,stack,bytes,200\n");
  CHECK(machine_costs(poor.front(), d.lowered, d.lowered_cost).instructions == -1);
  CHECK(machine_costs(poor.front(), d.lowered, d.lowered_cost).stack_bytes == -1);
  CHECK(machine_costs(poor.front(), d.lowered, d.lowered_cost).cycles == -1);
}
