// What stands before the network, from the search's choice to the data of a run.

#include "cli/inputs.hpp"

#include "cli/stages/stages.hpp"
#include "condenser/arch/spec_io.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace condenser;
using Catch::Matchers::Contains;

namespace {

const std::string kSource = CONDENSER_SOURCE_DIR;

std::string run_text(const std::string& dataset) {
  return "name: sizes\nseed: 2\ndataset: {card: " + kSource + "/datasets/digits, samples: 300" + dataset +
         "}\nspace: {space: columns, input: {size: [14, 20, 28]}}\ngate: {rules: []}\n";
}

void check_same(const data::Dataset& a, const data::Dataset& b) {
  REQUIRE(a.size() == b.size());
  REQUIRE(a.shape() == b.shape());
  std::vector<float> x(static_cast<size_t>(a.shape().elements())), y(x.size());
  int64_t different = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    a.get(i, x);
    b.get(i, y);
    different += a.label(i) != b.label(i) || x != y;
  }
  CHECK(different == 0);
}

}  // namespace

TEST_CASE("the winner's run file gives the data on which the search measured it", "[cli]") {
  const tests::TempFolder folder;
  const cli::RunConfig searching = cli::read_run_config(folder.write("run.yaml", run_text("")), {});
  cli::RunContext search_run(searching, folder / "searching");
  const search::Genotype genotype = [&] {
    core::Rng rng(1);
    search::Genotype g = search::sample(*searching.space, rng);
    g.choice.back() = 1;
    return g;
  }();
  const search::Candidate winner = searching.space->expand(genotype);
  REQUIRE(winner.input.size == 20);
  folder.write("winner.arch.json", arch::to_json(winner.spec));
  const cli::RunConfig config =
      cli::read_run_config(folder.write("winner.yaml", cli::winner_yaml(searching, winner.input)), {});
  CHECK(config.name == "sizes_winner");
  REQUIRE(config.network);
  CHECK(arch::hash(*config.network) == arch::hash(winner.spec));
  CHECK(config.card.shape == data::ItemShape{1, 20, 20});
  cli::RunContext run(config, folder / "winner");
  const auto parts = search_run.parts(cli::preparation_of(winner.input));
  check_same(*parts->training, *run.training());
  check_same(*parts->validation, *run.validation());
  CHECK(search_run.parts(cli::preparation_of(winner.input)) == parts);  // made once
  CHECK(search_run.training()->shape() == data::ItemShape{1, 28, 28});  // nothing is chosen yet
  CHECK(search_run.parts({}) != parts);
}

TEST_CASE("inputs larger than the pictures, or chosen twice, are refused", "[cli]") {
  const tests::TempFolder folder;
  const auto refused = [&](const std::string& dataset, const std::vector<std::string>& overrides) {
    try {
      cli::read_run_config(folder.write("run.yaml", run_text(dataset)), overrides);
    } catch (const core::ConfigError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK_THAT(refused("", {"space.input.size=[20,32]"}), Contains("expected at most 28, the pictures have 1x28x28"));
  CHECK_THAT(refused(", size: 20", {}), Contains("expected one of them"));
  CHECK_THAT(refused(", size: 29", {"space.input.size=[]"}), Contains("at most 28"));
  CHECK_THAT(refused("", {"space.front_end.coefficients=[10]"}), Contains("these are pictures"));
}
