// Look-up tables as spaces, and searches on them.

#include "search/spaces/table.hpp"

#include "condenser/search/bench.hpp"
#include "condenser/search/generator.hpp"
#include "condenser/search/table.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace condenser;
using Catch::Contains;
using condenser::tests::TempFolder;

namespace {

const char* const kComment =
    "# edge order 1<-0 2<-0 2<-1; 0=none 1=skip_connect 2=conv_3x3\n"
    "# made by hand\n";

// Cells of three edges; the more convolutions, the better, a direct skip beside two of them best of all.
std::string cells(const std::string& comment = kComment) {
  std::string text = comment + "ops,x_valid,x_test,x_valid_s1,params,macs\n";
  for (int i = 0; i < 27; ++i) {
    const int digits[] = {i / 9, i / 3 % 3, i % 3};
    int convolutions = 0;
    for (const int d : digits) convolutions += d == 2;
    const double reward = 50 + 10 * convolutions + (digits[1] == 1 ? 15 : 0) + 0.01 * i;
    std::string ops;
    for (const int d : digits) ops += static_cast<char>('0' + d);
    text += ops + "," + std::to_string(reward) + "," + std::to_string(reward + 1) + "," + std::to_string(reward - 0.5) +
            "," + std::to_string(100 + 100 * convolutions) + "," + std::to_string(1000 + 500 * convolutions) + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a CSV tells its columns, edges and operators", "[search]") {
  const TempFolder folder;
  folder.write("cells.csv", cells());
  const search::LookUp table = search::read_look_up(folder / "cells.csv");
  REQUIRE(table.decisions.size() == 3);
  CHECK(table.decisions[0].labels == std::vector<std::string>{"none", "skip_connect", "conv_3x3"});
  CHECK(table.edges == std::vector<std::array<int, 2>>{{1, 0}, {2, 0}, {2, 1}});
  REQUIRE(table.rows.size() == 27);
  CHECK(table.rows[26].genotype.choice == std::vector<int>{2, 2, 2});
  CHECK(table.rows[26].params == 400);
  CHECK(table.rows[26].noise.size() == 1);
  CHECK(table.rows[26].test == Approx(table.rows[26].reward + 1));
}

TEST_CASE("equal computations are one network with the mean of their rewards", "[search]") {
  const TempFolder folder;
  folder.write("cells.csv", cells());
  const search::TableSpace space(search::read_look_up(folder / "cells.csv"));
  const auto network = [&](std::vector<int> choice) -> const auto& { return space.network({std::move(choice)}); };
  // Without an edge into node 1, what leaves it is dead.
  CHECK(&network({0, 2, 0}) == &network({0, 2, 2}));
  CHECK(&network({0, 2, 0}) == &network({2, 2, 0}));
  CHECK(&network({1, 0, 2}) == &network({2, 0, 1}));  // one convolution, before or after the identity
  CHECK_FALSE(&network({2, 0, 2}) == &network({2, 2, 0}));
  const search::TableSpace::Network& dead = network({0, 2, 0});
  double mean = 0;
  for (const int row : dead.rows)
    mean += space.table().rows[static_cast<size_t>(row)].reward / static_cast<double>(dead.rows.size());
  CHECK(dead.reward == Approx(mean));
  CHECK(dead.params == 200);  // of the cheapest
  const search::Candidate candidate = space.expand({{2, 1, 2}});
  CHECK(search::identity(candidate) == network({2, 1, 2}).hash);
  CHECK(search::cost(candidate, *search::find_metric("params")) == 300.0);
  CHECK_FALSE(search::cost(candidate, *search::find_metric("arena_bytes")));

  const search::TableSpace small(search::read_look_up(folder / "cells.csv"), {.max_params = 200});
  CHECK(small.best_reward() < space.best_reward());
  CHECK_FALSE(small.network({{2, 2, 2}}).within);
  const search::TableSpace::Network& bounded = small.network({{0, 2, 0}});
  CHECK(bounded.within);
  CHECK(bounded.rows.size() < dead.rows.size());  // of equal cells only those within the bounds count
  double within = 0;
  for (const int row : bounded.rows) {
    CHECK(small.table().rows[static_cast<size_t>(row)].params <= 200);
    within += small.table().rows[static_cast<size_t>(row)].reward / static_cast<double>(bounded.rows.size());
  }
  CHECK(bounded.reward == Approx(within));
}

TEST_CASE("YAML names the columns of a table; decisions may have columns of their own", "[search]") {
  const TempFolder folder;
  folder.write("t.csv", "depth,width,score\n2,a,50\n2,b,60\n10,a,70\n10,b,65\n");
  folder.write("t.yaml", "file: t.csv\ndecisions: [depth, width]\nreward: score\n");
  const search::TableSpace space(search::read_look_up(folder / "t.yaml"));
  CHECK(space.networks().size() == 4);
  CHECK(space.best_reward() == 70);
  CHECK(space.decisions()[1].labels == std::vector<std::string>{"a", "b"});
}

namespace {

// A table of trainings of four networks of a space, two epochs each.
void write_trainings(const TempFolder& folder, const std::string& rows) {
  folder.write("space.yaml",
               "space: columns\nstages: [2]\nstem_width: [8]\nactivation: [relu]\nmerge_stage: [2]\n"
               "s1: {width: [8, 16], depth: [1], columns: [2], block: [basic], attention: [true], kernel: [3]}\n"
               "s2: {width: [16], depth: [1, 2], columns: [1], block: [basic], attention: [false], kernel: [3]}\n");
  folder.write("t.csv", "s1_width,s2_depth,e1,e2\n" + rows);
  folder.write(
      "t.yaml",
      "space: space.yaml\ninput: [1, 28, 28]\nclasses: 10\nfile: t.csv\nreward: e2\nepochs: 2\ncurve: [e1, e2]\n");
}

}  // namespace

TEST_CASE("a table of trainings has the networks of its space", "[search]") {
  const TempFolder folder;
  write_trainings(folder, "8,1,40,50\n8,2,45,60\n16,1,35,70\n16,2,30,65\n");
  const search::TableSpace space(search::read_look_up(folder / "t.yaml"));
  REQUIRE(space.networks().size() == 4);
  const search::Genotype best = search::parse_genotype(space, "s1_width=16 s2_depth=1");
  const search::Candidate candidate = space.expand(best);
  CHECK_FALSE(candidate.spec.nodes.empty());
  CHECK(space.network(best).params == search::cost(candidate, *search::find_metric("params")));
  const auto probe = search::make_table_probe(space);
  search::Findings half, whole;
  probe->ask(candidate, {.genotype = best, .fidelity = 0.5}, half);
  probe->ask(candidate, {.genotype = best}, whole);
  CHECK(half.metrics.at("val_accuracy") == 35);
  CHECK(half.curves.at("val_accuracy") == std::vector<double>{35});
  CHECK(whole.metrics.at("val_accuracy") == 70);
  CHECK(whole.curves.at("val_accuracy") == std::vector<double>{35, 70});

  search::SearchBenchOptions options{.table = folder / "t.yaml", .protocol = "trainings", .seeds = 5, .trials = 4};
  CHECK(search::bench_search(options).median_test == 70);  // all four are trained
  for (const search::GeneratorRow& row : search::generators()) {
    INFO(row.name);
    options.generator = row.name;
    options.trials = 2;
    options.rungs = {1};
    const search::SearchBenchResult result = search::bench_search(options);
    CHECK(result.interval_of_mean_test[0] <= result.mean_test);
    for (const double test : result.tests) CHECK((test >= 50 && test <= 70));
  }
  options.rungs = {2};
  CHECK_THROWS_WITH(search::bench_search(options), Contains("epochs below 2"));
}

TEST_CASE("a table of trainings that does not fit its space is refused with the place", "[search]") {
  const TempFolder folder;
  const auto refuse = [&](const std::string& rows, const std::string& expected) {
    write_trainings(folder, rows);
    CHECK_THROWS_WITH(search::TableSpace(search::read_look_up(folder / "t.yaml")), Contains(expected));
  };
  refuse("8,1,40,50\n8,2,45,60\n16,1,35,70\n", "3 rows; expected one for each of the 4 networks");
  refuse("8,1,40,50\n8,2,45,60\n16,1,35,70\n12,2,30,65\n", "t.csv:5: ");
  refuse("8,1,40,50\n8,2,45,60\n16,1,35,70\n8,1,30,65\n", "two rows for");
  refuse("8,1,40,50\n8,2,,60\n16,1,35,70\n16,2,30,65\n", "t.csv:3: e1 = ");
}

TEST_CASE("tables that cannot be searched are refused with the place", "[search]") {
  const TempFolder folder;
  const auto refuse = [&](const std::string& text, const std::string& expected) {
    folder.write("bad.csv", text);
    INFO(text.substr(0, 200));
    CHECK_THROWS_WITH(search::TableSpace(search::read_look_up(folder / "bad.csv")), Contains(expected));
  };
  std::string whole = cells();
  refuse(whole.substr(0, whole.rfind("222")), "26 rows; expected one for each of the 27 combinations");
  refuse(kComment + std::string("ops,y\n00,1\n"), "no column of rewards");
  refuse("a,x_valid\n1,2\n", "no column of decisions");
  refuse("", "no rows");
  std::string text = cells();
  text.replace(text.find("\n001,") + 5, 2, "x4");
  refuse(text, "bad.csv:5: x_valid = x4");
  text = cells();
  text.replace(text.find("\n001,") + 1, 3, "00");
  refuse(text, "decisions");
  text = cells();
  text.replace(text.find("\n001,") + 1, 3, "000");
  refuse(text, "two rows for");
  refuse(cells("# 1<-0 2<-0\n"), "2 edges; expected one for each of the 3 decisions");
  folder.write("bad.yaml", "file: bad.csv\ndecisions: [opss]\nreward: x_valid\n");
  CHECK_THROWS_WITH(search::read_look_up(folder / "bad.yaml"), Contains("did you mean ops?"));
}

TEST_CASE("a table is a space of the table of spaces", "[search]") {
  const TempFolder folder;
  const std::string file = folder.write("cells.csv", cells());
  const auto make = [](const std::string& yaml) {
    auto reader = core::config::Reader::from_text("space: table\n" + yaml, "space.yaml");
    auto space = search::make_space(reader, {{3, 32, 32}, 10});
    reader.finish();
    return space;
  };
  const auto space = make("table: " + file + "\nforbid: [{edge0: none, edge1: none}]\n");
  CHECK(search::size_of(*space).legal == 24);
  REQUIRE(search::is_table(*space));
  const auto probe = search::make_table_probe(*space);
  search::Findings findings;
  const search::Genotype genotype = search::parse_genotype(*space, "edge0=conv_3x3 edge1=skip_connect edge2=conv_3x3");
  probe->ask(space->expand(genotype), {}, findings);
  CHECK(findings.metrics.at("val_accuracy") == Approx(85.23));
  CHECK_THROWS_WITH(make(""), Contains("space.yaml") && Contains("table") && Contains("a CSV, or the YAML"));
  CHECK_THROWS_WITH(make("table: none.csv\n"), Contains("none.csv"));
  const core::Hash128 before = search::table_content(*space);
  folder.write("cells.csv", "# more\n" + cells());
  CHECK_FALSE(search::table_content(*make("table: " + file + "\n")) == before);
}

TEST_CASE("searches on a table find its best network, and more cleverly than by chance", "[search]") {
  const TempFolder folder;
  folder.write("cells.csv", cells());
  search::SearchBenchOptions o{.table = folder / "cells.csv", .seeds = 12, .trials = 27};
  const auto mean = [&](const char* generator) {
    o.generator = generator;
    const search::SearchBenchResult r = search::bench_search(o);
    CHECK(r.hit_share == 1);
    CHECK(r.best_reward == Approx(85.23));
    CHECK(r.evaluations.size() == 12);
    return r.mean_evaluations;
  };
  const double engine = mean("generative_synthesis");
  CHECK(engine < mean("random"));
  CHECK(engine < 10);
  const search::SearchBenchResult once = search::bench_search(o), again = search::bench_search(o);
  CHECK(once.evaluations == again.evaluations);
  o.generator = "generative_synthesis";
  o.batch = 4;
  CHECK(search::bench_search(o).hit_share == 1);
  o.protocol = "constrained";
  CHECK_THROWS_WITH(search::bench_search(o), Contains("--max-params"));
  o.max_params = 200;
  const search::SearchBenchResult bounded = search::bench_search(o);
  CHECK(bounded.best_reward < 85);
  CHECK(bounded.hit_share == 1);
  o.protocol = "budget";
  CHECK_THROWS_WITH(search::bench_search(o), Contains("no short trainings"));
  o.protocol = "noisy";
  CHECK(search::bench_search(o).mean_test > 80);
}
