#include "condenser/search/space.hpp"

#include <array>

#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;

TEST_CASE("a genotype is read by decision name", "[search]") {
  const fakes::ChainSpace space(2, 4);
  const search::Genotype genotype{{2, 0, 1, 0}};
  CHECK(search::to_text(space, genotype) == "w0=3 w1=1 stride=2 unused=0");
  CHECK(search::value(space, genotype, "stride") == 2);
  CHECK_THROWS_WITH(search::value(space, genotype, "stryde"), Catch::Contains("did you mean stride"));
  CHECK(search::one_hot(space, genotype) == std::vector<double>{0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0});
  CHECK(search::log10_size(space) == Approx(std::log10(4 * 4 * 2 * 2)));
}

TEST_CASE("a genotype of another space is refused", "[search]") {
  const fakes::ChainSpace space(2, 4);
  CHECK_THROWS_WITH(search::check(space, {{0, 0}}), Catch::Contains("2 choices") && Catch::Contains("4 decisions"));
  CHECK_THROWS_WITH(search::check(space, {{0, 4, 0, 0}}), Catch::Contains("w1") && Catch::Contains("0..3"));
}

TEST_CASE("sampling and mutation are uniform", "[search]") {
  const fakes::ChainSpace space(1, 4);
  core::Rng rng(11);
  std::array<int, 4> drawn{}, changed{};
  std::array<int, 4> option{};
  for (int i = 0; i < 8000; ++i) {
    ++drawn[static_cast<size_t>(search::sample(space, rng).choice[0])];
    const search::Genotype child = search::mutate(space, {{1, 0, 0}}, rng);
    if (child.choice[0] != 1) ++option[static_cast<size_t>(child.choice[0])];
    for (size_t d = 0; d < 3; ++d) changed[d] += child.choice[d] != (d == 0 ? 1 : 0);
  }
  for (int count : drawn) CHECK(std::abs(count - 2000) < 200);  // 5 standard deviations
  for (size_t d = 0; d < 3; ++d) CHECK(std::abs(changed[d] - 8000 / 3) < 220);
  CHECK(option[1] == 0);
  for (size_t o : {0u, 2u, 3u}) CHECK(std::abs(option[o] - 8000 / 9) < 150);
}

TEST_CASE("a space without a choice mutates to itself", "[search]") {
  auto reader = core::config::Reader::from_text(
      "space: columns\nstages: [1]\nstem_width: [8]\nactivation: [relu]\nmerge_stage: [1]\n"
      "s1: {width: [8], depth: [1], columns: [2], block: [basic], attention: [false], kernel: [3]}\n",
      "test");
  const auto space = search::make_space(reader, {{1, 8, 8}, 2});
  core::Rng rng(1);
  const search::Genotype only = search::sample(*space, rng);
  CHECK(search::log10_size(*space) == 0);
  CHECK(search::mutate(*space, only, rng) == only);
}

TEST_CASE("an unknown space is refused", "[search]") {
  auto reader = core::config::Reader::from_text("space: colums\n", "run.yaml");
  CHECK_THROWS_AS(search::make_space(reader, {{1, 28, 28}, 10}), core::ConfigError);
}
