#include "search/predictors/curves.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "condenser/core/rng.hpp"

using namespace condenser;
using search::Curves;
using search::Ending;
using search::RungFindings;

namespace {

double normal(core::Rng& rng) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += rng.uniform();
  return sum;
}

// Trainings that go from 60 +- 5 to 80 + slope (x - 60) +- noise; the first `pairs` of them went on.
struct World {
  double slope = 0.6, noise = 1;
  core::Rng rng{7};

  double start() { return 60 + 5 * normal(rng); }
  double end(double x) { return 80 + slope * (x - 60) + noise * normal(rng); }
  RungFindings findings(int networks, int pairs) {
    RungFindings f;
    for (int i = 0; i < networks; ++i) {
      f.values.push_back(start());
      if (i < pairs) f.both.emplace_back(f.values.back(), end(f.values.back()));
    }
    return f;
  }
};

}  // namespace

TEST_CASE("where no training went on, curves end where they are", "[search]") {
  CHECK(Curves().ending(3).mean == 3);
  World world;
  const std::vector<RungFindings> none = {world.findings(5, 0)};
  CHECK(Curves(none).ending(61.5).mean == 61.5);
  CHECK(Curves(none).ending(61.5).variance == 0);
}

TEST_CASE("how curves go on is learned from those that did", "[search]") {
  World world;
  const Curves curves(std::vector<RungFindings>{world.findings(500, 400)});
  CHECK(curves.ending(70).mean == Approx(86).margin(0.3));
  CHECK(curves.ending(60).mean == Approx(80).margin(0.2));
  CHECK(std::sqrt(curves.ending(60).variance) == Approx(1).margin(0.1));
  CHECK(curves.ending(90).variance > curves.ending(60).variance);
}

TEST_CASE("one curve moves all, and leaves much doubt", "[search]") {
  RungFindings f{{50, 60, 70}, {{60, 81}}};
  const Curves curves(std::vector<RungFindings>{f});
  CHECK(curves.ending(60).mean == 81);
  CHECK(curves.ending(70).mean == 91);  // ahead it stays
  CHECK(curves.ending(60).variance > 25);
  CHECK(curves.ending(70).variance > curves.ending(60).variance);
}

TEST_CASE("doubt about endings is honest", "[search]") {
  // For any number of curves: the share of endings within one deviation, over many studies.
  for (const int pairs : {3, 6, 20}) {
    World world;
    int within = 0, studies = 2000;
    for (int i = 0; i < studies; ++i) {
      world.slope = 1 + 0.5 * normal(world.rng);
      const Curves curves(std::vector<RungFindings>{world.findings(pairs + 10, pairs)});
      const double x = world.start(), y = world.end(x);
      const Ending e = curves.ending(x);
      within += std::abs(y - e.mean) < std::sqrt(e.variance);
    }
    INFO(pairs << " curves: " << within << " of " << studies << " endings within one deviation");
    CHECK(within > 0.62 * studies);
    CHECK(within < (pairs < 6 ? 0.95 : 0.85) * studies);
  }
}

TEST_CASE("steps follow each other, and add their doubts", "[search]") {
  RungFindings first{{1, 2, 3}, {{1, 11}, {2, 12}, {3, 13}}}, second{{11, 12, 13}, {{11, 21}, {13, 23}}};
  const Curves one(std::vector<RungFindings>{first}), both(std::vector<RungFindings>{first, second});
  CHECK(one.ending(2).mean == Approx(12));
  CHECK(both.ending(2).mean == Approx(22));
  CHECK(both.ending(2).variance > one.ending(2).variance);
}

TEST_CASE("a network that is ahead is not expected to fall behind", "[search]") {
  RungFindings f{{1, 2, 3, 4}, {{1, 40}, {2, 30}, {3, 20}, {4, 10}}};
  const Curves curves(std::vector<RungFindings>{f});
  CHECK(curves.ending(4).mean >= curves.ending(1).mean);
}
