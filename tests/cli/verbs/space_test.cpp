// `condenser space`: files of spaces, runs, what both refuse, pictures.

#include <nlohmann/json.hpp>

#include "condenser/core/files.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace condenser;
using Catch::Matchers::Contains;
using nlohmann::json;
using tests::Finished;
using tests::TempFolder;
namespace fs = std::filesystem;

namespace {

constexpr char kSpace[] =
    "space: columns\nstages: [1]\nstage_strides: [1]\nstem_width: [8]\nactivation: [relu]\nmerge_stage: [1]\n"
    "s1: {width: [16, 24], depth: [1, 2], columns: [2, 4], block: [basic], attention: [false], kernel: [3]}\n"
    "forbid: [{s1_width: 24, s1_depth: 2}]\n";

Finished show(const fs::path& file, std::vector<std::string> more = {}) {
  std::vector<std::string> words{"space", "show", file.string()};
  words.insert(words.end(), more.begin(), more.end());
  return tests::run_condenser(words);
}

}  // namespace

TEST_CASE("condenser space shows size, share, costs and samples of a space file", "[cli]") {
  const TempFolder folder;
  folder.write("space.yaml", kSpace);
  const fs::path pictures = folder / "pictures";
  const Finished f = show(folder / "space.yaml", {"--input", "1,16,16", "--classes", "4", "--count", "200", "--samples",
                                                  "2", "--draw", pictures.string(), "--format", "json"});
  INFO(f.err);
  REQUIRE(f.code == 0);
  const json j = json::parse(f.out);
  CHECK(j["genotypes"] == 8);
  CHECK(j["legal"] == 6);
  CHECK(j["exact"] == true);
  CHECK(j["input"] == "1x16x16");
  CHECK(j["forbidden"] == json::array({"{s1_width: 24, s1_depth: 2}"}));
  CHECK(j["survey"]["share"] == 1);
  const auto& params = j["survey"]["costs"]["params"]["drawn"];
  CHECK(params["min"] < params["median"]);
  CHECK(params["median"] <= params["max"]);
  REQUIRE(j["samples"].size() == 2);
  CHECK_THAT(j["samples"][0]["genotype"].get<std::string>(), Contains("s1_columns="));
  CHECK(fs::exists(pictures / "sample_2.svg"));
  CHECK_FALSE(fs::exists(pictures / "sample_3.svg"));

  CHECK_THAT(show(folder / "space.yaml", {"forbid=[]"}).out, Contains(" decisions, 8 genotypes\n"));
  const Finished narrowed = show(folder / "space.yaml", {"s1.depth=[2]", "stem_width=[8, 16]"});
  CHECK_THAT(narrowed.out, Contains("4 genotypes (8 without the forbidden combinations)"));
  CHECK_THAT(narrowed.out, Contains("forbidden together: {s1_width: 24, s1_depth: 2}"));
}

TEST_CASE("condenser space takes the gate of a run, or a budget", "[cli]") {
  const fs::path root = CONDENSER_SOURCE_DIR;
  const Finished f = show(root / "experiments/digits_quickstart/run.yaml",
                          {"--count", "100", "--format", "json", "space.stem_width=[8]"});
  INFO(f.err);
  REQUIRE(f.code == 0);
  const json j = json::parse(f.out);
  CHECK(j["classes"] == 10);
  CHECK(j["survey"]["passed"] > 0);
  CHECK(j["survey"]["refused"]["beats_comparator"] > 0);
  const Finished budget = show(root / "search/spaces/columns_digits.yaml",
                               {"--input", "1x28x28", "--gate", (root / "search/budgets/mcu_32k.yaml").string()});
  CHECK_THAT(budget.out, Contains("max_constant_bytes") && Contains("Costs of those that pass"));
}

TEST_CASE("condenser space refuses what it cannot read, with the place", "[cli]") {
  const TempFolder folder;
  folder.write("space.yaml", std::string(kSpace) + "stem_widht: [8]\n");
  const Finished key = show(folder / "space.yaml");
  CHECK(key.code == 2);
  CHECK_THAT(key.err, Contains("space.yaml:9") && Contains("did you mean stem_width?"));
  CHECK_THAT(show(folder / "none.yaml").err, Contains("no such file"));
  folder.write("good.yaml", kSpace);
  CHECK_THAT(show(folder / "good.yaml", {"--input", "16"}).err, Contains("channels x height x width"));
}

TEST_CASE("condenser space shows what stands before the network as decisions, and counts it", "[cli]") {
  const fs::path spaces = fs::path(CONDENSER_SOURCE_DIR) / "search/spaces";
  const auto shown = [&](const std::string& file, std::vector<std::string> more) {
    more.insert(more.end(), {"--count", "60", "--samples", "1", "--format", "json"});
    const Finished f = show(spaces / file, more);
    INFO(f.err);
    REQUIRE(f.code == 0);
    return json::parse(f.out);
  };
  const json sizes = shown("columns_digits_sizes.yaml", {"--input", "1x28x28"});
  CHECK(sizes["decisions"].back()["name"] == "input_size");
  CHECK(sizes["decisions"].back()["options"] == json::array({"16", "20", "28"}));
  const json words = shown("condenser_kws_front_ends.yaml", {"--input", "1x49x10", "--classes", "12"}),
             bare = shown("condenser_kws.yaml", {"--input", "1x49x10", "--classes", "12"});
  CHECK(words["decisions"].back()["name"] == "front_end_stride_ms");
  const auto least = [](const json& j) { return j["survey"]["costs"]["constant_bytes"]["drawn"]["min"].get<double>(); };
  CHECK(least(words) > least(bare) + 4000);  // the tables of a front-end
  const Finished f = show(spaces / "condenser_kws_front_ends.yaml", {"--input", "1x40x101"});
  CHECK(f.code == 2);
  CHECK_THAT(f.err, Contains("expected 1x49x10"));
}
