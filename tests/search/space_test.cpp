#include "condenser/search/space.hpp"

#include <array>
#include <set>

#include "condenser/search/survey.hpp"
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

namespace {

constexpr char kNarrow[] =
    "space: columns\nstages: [2]\nstage_strides: [1, 2]\nstem_width: [8]\nactivation: [relu, silu]\nmerge_stage: [2]\n"
    "s1: {width: [16, 24, 32], depth: [1, 2], columns: [2], block: [basic], attention: [false], kernel: [3]}\n"
    "s2: {width: [16, 24], depth: [1, 2, 3], columns: [2], block: [basic], attention: [false], kernel: [3]}\n";

std::unique_ptr<search::Space> narrow(const std::string& more) {
  auto reader = core::config::Reader::from_text(kNarrow + more, "space.yaml");
  auto space = search::make_space(reader, {{1, 16, 16}, 2});
  reader.finish();
  return space;
}

std::string refusal(const std::string& more) {
  try {
    narrow(more);
  } catch (const core::ConfigError& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("forbidden combinations are never drawn, and counted", "[search]") {
  const auto space = narrow("forbid: [{s1_width: 32, s2_depth: [2, 3]}, {activation: silu, s1_depth: 2}]\n");
  REQUIRE(space->forbidden().size() == 2);
  CHECK(search::to_text(*space, space->forbidden()[0]) == "{s1_width: 32, s2_depth: [2, 3]}");
  const auto forbidden = [&](const search::Genotype& g) {
    const auto v = [&](const char* name) {
      size_t i = 0;
      while (space->decisions()[i].name != name) ++i;
      return search::option_text(space->decisions()[i], g.choice[i]);
    };
    return (v("s1_width") == "32" && v("s2_depth") != "1") || (v("activation") == "silu" && v("s1_depth") == "2");
  };
  // By hand: 72 genotypes; rows match 1/3 * 2/3 and 1/2 * 1/2, both of them 1/18.
  const search::SpaceSize size = search::size_of(*space);
  CHECK(size.genotypes == 72);
  CHECK(size.legal == 72 - 16 - 18 + 4);
  CHECK(size.exact);
  std::set<search::Genotype> seen;
  search::for_each_genotype(*space, [&](const search::Genotype& g) {
    CHECK_FALSE(forbidden(g));
    seen.insert(g);
  });
  CHECK(seen.size() == 42);

  core::Rng rng(5);
  std::set<search::Genotype> drawn;
  search::Genotype last = search::sample(*space, rng);
  for (int i = 0; i < 2000; ++i) {
    const search::Genotype fresh = search::sample(*space, rng), mutated = search::mutate(*space, fresh, rng),
                           crossed = search::crossover(*space, last, mutated, rng);
    for (const search::Genotype& g : {fresh, mutated, crossed}) CHECK_FALSE(forbidden(g));
    drawn.insert(fresh);
    last = mutated;
  }
  CHECK(drawn.size() == 42);  // nothing legal is lost

  search::Genotype bad;
  search::for_each_genotype(*narrow(""), [&](const search::Genotype& g) {
    if (forbidden(g)) bad = g;
  });
  CHECK_FALSE(search::legal(*space, bad));
  CHECK_THROWS_WITH(space->expand(bad), Catch::Contains("{activation: silu, s1_depth: 2}") ||
                                            Catch::Contains("{s1_width: 32, s2_depth: [2, 3]}"));
}

TEST_CASE("a genotype whose neighbours are all forbidden mutates to itself", "[search]") {
  const auto space = narrow(
      "forbid: [{activation: relu, s1_width: [24, 32]}, {activation: relu, s1_depth: 2}, "
      "{activation: relu, s2_width: 24}, {activation: relu, s2_depth: [2, 3]}, {activation: silu}]\n");
  CHECK(search::size_of(*space).legal == 1);
  core::Rng rng(1);
  const search::Genotype only = search::sample(*space, rng);
  CHECK(search::mutate(*space, only, rng) == only);
}

TEST_CASE("what may not be forbidden or believed is refused with the place", "[search]") {
  using Catch::Contains;
  CHECK_THAT(refusal("forbid: [{s1_widht: 32}]\n"), Contains("space.yaml:9") && Contains("did you mean s1_width?"));
  CHECK_THAT(refusal("forbid: [{s1_width: 48}]\n"), Contains("s1_width = 48; expected one of 16, 24, 32"));
  CHECK_THAT(refusal("forbid: [{}]\n"), Contains("space.yaml:9") && Contains("an empty row forbids everything"));
  CHECK_THAT(refusal("forbid: [{s1_width: []}]\n"), Contains("an option, or a list of options"));
  CHECK_THAT(refusal("forbid: {s1_width: 16}\n"), Contains("a list of mappings"));
  CHECK_THAT(refusal("forbid: [{activation: [relu, silu]}]\n"), Contains("forbid leaves no genotype"));
  CHECK_THAT(refusal("beliefs: {s9_width: {16: 2}}\n"), Contains("s9_width is not in the space"));
  CHECK_THAT(refusal("beliefs: {s1_width: {17: 2}}\n"), Contains("expected one of 16, 24, 32"));
  CHECK_THAT(refusal("beliefs: {s1_width: {16: 0}}\n"), Contains("beliefs.s1_width.16 = 0"));
  CHECK_THAT(refusal("beliefs: {s1_width: 2}\n"), Contains("beliefs.s1_width"));
}

TEST_CASE("forbidden rows and beliefs are part of the settings in force", "[search]") {
  auto reader = core::config::Reader::from_text(
      std::string(kNarrow) + "forbid: [{s1_width: 32, s2_depth: [2, 3]}]\nbeliefs: {s1_width: {16: 3}}\n",
      "space.yaml");
  search::make_space(reader, {{1, 16, 16}, 2});
  std::map<std::string, std::string> settings;
  for (const auto& s : reader.settings()) settings[s.path] = s.value;
  CHECK(settings["forbid[0].s1_width"] == "\"32\"");  // as text: options may be words
  CHECK(settings["forbid[0].s2_depth"] == "[\"2\", \"3\"]");
  CHECK(settings["beliefs.s1_width.16"] == "3");
  auto again = core::config::Reader::from_text(reader.resolved_yaml(), "resolved");
  const auto space = search::make_space(again, {{1, 16, 16}, 2});
  CHECK_NOTHROW(again.finish());
  CHECK(search::size_of(*space).legal == 72 - 16);
}

TEST_CASE("beliefs weigh what is drawn", "[search]") {
  CHECK(narrow("")->prior().empty());
  CHECK(narrow("beliefs: {}\n")->prior().empty());
  CHECK(narrow("beliefs: {s1_width: {}}\n")->prior().empty());
  const auto space = narrow("beliefs: {s1_width: {16: 6, 24: 3}, activation: {silu: 0.25}}\n");
  size_t width = 0;
  while (space->decisions()[width].name != "s1_width") ++width;
  CHECK(space->prior()[width] == std::vector<double>{6, 3, 1});
  CHECK(space->prior().back() == std::vector<double>{1});
  core::Rng rng(3);
  std::array<int, 3> widths{};
  int silu = 0;
  for (int i = 0; i < 8000; ++i) {
    const search::Genotype g = search::sample(*space, rng);
    ++widths[static_cast<size_t>(g.choice[width])];
    silu += search::value(*space, g, "activation");
  }
  for (size_t i = 0; i < 3; ++i) CHECK(std::abs(widths[i] - 800 * space->prior()[width][i]) < 220);
  CHECK(std::abs(silu - 1600) < 180);
}

TEST_CASE("a genotype is read back from its text", "[search]") {
  using Catch::Contains;
  const auto space = narrow("forbid: [{s1_width: 32, s2_depth: [2, 3]}]\n");
  search::for_each_genotype(*space, [&](const search::Genotype& g) {
    CHECK(search::parse_genotype(*space, search::to_text(*space, g)) == g);
  });
  // Decisions without a choice may be left out.
  const std::string some = "activation=silu s1_width=24 s1_depth=2 s2_width=16 ";
  CHECK(search::value(*space, search::parse_genotype(*space, some + "s2_depth=3"), "s2_depth") == 3);
  const auto refused = [&](const std::string& text, const std::string& expected) {
    INFO(text);
    CHECK_THROWS_WITH(search::parse_genotype(*space, text), Contains(expected));
  };
  refused(some, "no option for s2_depth");
  refused(some + "s2_depth=4", "s2_depth = 4; expected one of 1, 2, 3");
  refused(some + "s2_dept=3", "did you mean s2_depth?");
  refused(some + "s2_depth", "expected decision=option");
  refused(some + "s2_depth=1 s2_depth=2", "stands twice");
  refused("activation=silu s1_width=32 s1_depth=2 s2_width=16 s2_depth=3", "forbidden by the row {s1_width: 32");
}

TEST_CASE("a survey tells how much of a space the gate leaves, and at what cost", "[search]") {
  const auto space = narrow("");
  search::GateOptions options;
  std::vector<double> params;
  search::for_each_genotype(
      *space, [&](const auto& g) { params.push_back(static_cast<double>(space->expand(g).cost.params)); });
  std::sort(params.begin(), params.end());
  options.max_params = static_cast<int64_t>(search::quantile(params, 0.5));
  core::Rng rng(2);
  const search::Survey s = search::survey(*space, search::Gate(options), 2000, rng);
  CHECK(s.drawn == 2000);
  CHECK(std::abs(s.share() - 0.5) < 5 * s.deviation() + 0.02);
  CHECK(s.deviation() == Approx(std::sqrt(0.25 / 2000)).margin(1e-4));
  CHECK(s.refused.at("max_params") == s.drawn - s.passed);
  CHECK(s.refused.size() == 1);
  REQUIRE(s.costs.size() == 4);
  CHECK(s.costs[0].metric->name == "params");
  CHECK(s.costs[0].drawn.front() == params.front());
  CHECK(s.costs[0].drawn.back() == params.back());
  CHECK(s.costs[0].passed.back() <= static_cast<double>(options.max_params));
  CHECK(search::quantile({1, 2, 3, 5}, 0.5) == 2.5);
  CHECK(search::quantile({1, 2, 3, 5}, 1) == 5);
  CHECK(search::quantile({4}, 0.05) == 4);
}

TEST_CASE("an unknown space is refused", "[search]") {
  auto reader = core::config::Reader::from_text("space: colums\n", "run.yaml");
  CHECK_THROWS_AS(search::make_space(reader, {{1, 28, 28}, 10}), core::ConfigError);
}
