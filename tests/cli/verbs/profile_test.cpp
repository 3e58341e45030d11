// `condenser profile`: what a network takes of a machine.

#include <nlohmann/json.hpp>

#include <map>
#include <sstream>

#include "condenser/arch/design.hpp"
#include "condenser/arch/machine_model.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/files.hpp"
#include "condenser/verify/published.hpp"
#include "support/absent.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using nlohmann::json;
using tests::Finished;
using tests::run_condenser;

TEST_CASE("a network is profiled before anything is trained", "[cli][slow]") {
  const tests::TempFolder folder;
  const std::string net = folder.write("net.yaml",
                                       "condenser_spec: 1\nname: tiny\ninput: [1, 16, 16]\nnodes:\n"
                                       "  - {name: stem, block: conv_bn_act, out: 8, kernel: 3, activation: relu}\n  - "
                                       "{block: classifier_head, classes: 4}\n");
  const Finished f = run_condenser({"profile", net, "--machine", "cortex-m3,cortex-m4", "--format", "json"});
  INFO(f.err);
  if (f.code == 1 && f.err.find("not installed") != std::string::npos)
    return tests::skip_without("machine: cortex-m4", f.err);
  REQUIRE(f.code == 0);
  const json j = json::parse(f.out);
  CHECK(j["network"] == "tiny");
  REQUIRE(j["machines"].size() == 2);
  for (const json& machine : j["machines"]) {
    INFO(machine);
    const int64_t total = machine["instructions"];
    CHECK(total > j["macs"].get<int64_t>() / 4);
    CHECK(machine["arena_bytes"].get<int64_t>() > 16 * 16);
    CHECK(machine["variable_bytes"].get<int64_t>() >= machine["arena_bytes"].get<int64_t>());
    CHECK(machine["flash_bytes"] == machine["code_bytes"].get<int64_t>() + machine["constant_bytes"].get<int64_t>());
    CHECK(machine["stack_bytes"].get<int64_t>() > 0);
    const int64_t cycles = machine["estimated_cycles"];
    CHECK(cycles > total);
    CHECK_THAT(machine["cycle_model"].get<std::string>(), Contains("TRM"));
    CHECK(machine["ram_bytes"] == machine["arena_bytes"].get<int64_t>() + machine["stack_bytes"].get<int64_t>());
    int64_t sum = 0, cycle_sum = 0;
    for (const json& layer : machine["layers"]) {
      sum += layer["instructions"].get<int64_t>();
      cycle_sum += layer["estimated_cycles"].get<int64_t>();
    }
    CHECK((sum > 0 && sum <= total));
    CHECK((cycle_sum > sum && cycle_sum <= cycles));
  }
  // What a gate would go by.
  const arch::Design design = arch::design_of(arch::read_spec(net));
  const arch::MachineCosts predicted =
      arch::machine_costs(*arch::find_machine_model("cortex-m4"), design.lowered, design.lowered_cost);
  CHECK(j["machines"][1]["predicted_instructions"] == predicted.instructions);
  CHECK(j["machines"][1]["predicted_cycles"] == predicted.cycles);
  CHECK(j["machines"][0]["predicted_cycles"].is_null());  // no model of it
  // Instructions for two products at once are what the M4 has and the M3 has not.
  CHECK(j["machines"][1]["instructions"] < j["machines"][0]["instructions"]);
}

// Counts are those of one compiler; of another they say nothing.
TEST_CASE("instructions and code of the kernels stay within what is written down", "[cli][slow]") {
  const Finished compiler = tests::run({"arm-none-eabi-gcc", "-dumpversion"}, "/tmp");
  if (compiler.code != 0 || !compiler.out.starts_with("12.2"))
    return tests::skip_without("machine: cortex-m4", "arm-none-eabi-gcc 12.2 is not there");
  std::istringstream lines(core::read_file(CONDENSER_SOURCE_DIR "/tests/verify/instructions.csv"));
  std::map<std::string, json> known;  // of a network, on each machine
  int rows = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string network, machine, instructions, code;
    std::getline(words, network, ',');
    std::getline(words, machine, ',');
    std::getline(words, instructions, ',');
    std::getline(words, code, ',');
    if (!machine.starts_with("cortex")) continue;
    ++rows;
    if (!known.contains(network)) {
      const Finished f =
          run_condenser({"profile", network, "--machine", "cortex-m4,cortex-m0,cortex-m55", "--format", "json"});
      INFO(f.err);
      REQUIRE(f.code == 0);
      const json all = json::parse(f.out);
      for (const json& m : all["machines"]) known[network][m["machine"].get<std::string>()] = m;
    }
    const json& now = known[network][machine];
    INFO(network << " on " << machine);
    CHECK(now["instructions"].get<double>() <= 1.02 * std::stod(instructions));
    CHECK(now["code_bytes"].get<double>() <= 1.02 * std::stod(code));
  }
  CHECK(rows == 11);
}

TEST_CASE("machines and networks that are none are named", "[cli]") {
  CHECK_THAT(run_condenser({"profile", "resnet8", "--machine", "cortex-m99"}).err, Contains("cortex-m4"));
  CHECK(run_condenser({"profile", "resnet"}).code == 2);
  REQUIRE(verify::published("resnet8", "cortex-m4"));
  CHECK(verify::published("resnet8", "cortex-m4")->cycles == 19.8e6);
  CHECK_FALSE(verify::published("resnet50", "cortex-m4"));
}
