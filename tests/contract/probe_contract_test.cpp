// What every probe keeps that a backend hands out: the same answer for the same seed, a cost that is stated before and
// does not depend on what was asked, the metrics that it names, and a clear line between a candidate that fails and a
// machine that does.
#include "condenser/search/metrics.hpp"
#include "condenser/search/probe.hpp"
#include "condenser/search/probe_rows.hpp"
#include "support/catch.hpp"
#include "train/quick_run.hpp"

namespace condenser::train {
namespace {

using search::Findings;
using search::Probe;

TrainOptions options() {
  TrainOptions o = testing::quick();
  o.epochs = 2;
  return o;
}

const search::Space& space() {
  static const auto made = [] {
    auto reader = core::config::Reader::from_text("{space: columns, stages: [1], stem_stride: 1}", "test");
    return search::make_space(reader, {{1, 8, 8}, 3});
  }();
  return *made;
}

std::unique_ptr<Probe> make(const search::ProbeRow& row, const TrainOptions& o) {
  ProbeRequest request{row.name, testing::stripes(45, 1), testing::stripes(15, 2), o};
  if (row.inherits)
    request.supernet = {.options = {.epochs = 2, .candidates = 1},
                        .space = &space(),
                        .allowed = [](const search::Candidate&) { return true; },
                        .train = request.train,
                        .folder = {}};
  return testing::backend().make_probe(request);
}

search::Candidate candidate(const arch::Spec& spec) {
  search::Candidate c;
  c.spec = spec;
  return c;
}

Findings answer(Probe& probe, const search::Candidate& c, uint64_t seed, double fidelity = 1) {
  Findings found;
  probe.ask(c, {.seed = seed, .fidelity = fidelity, .on_progress = {}}, found);
  return found;
}

}  // namespace

TEST_CASE("a probe answers the same for the same network and seed", "[train][contract]") {
  for (const search::ProbeRow& row : search::probe_rows()) {
    INFO(row.name);
    const auto probe = make(row, options()), other = make(row, options());
    CHECK(probe->name() == row.name);
    const search::Candidate c = candidate(testing::small_net());
    const Findings first = answer(*probe, c, 7);
    answer(*probe, c, 8);
    CHECK(answer(*probe, c, 7) == first);
    CHECK(answer(*other, c, 7) == first);
    CHECK((answer(*probe, c, 8) == first) == row.inherits);  // whose weights are no draw of the candidate
  }
}

TEST_CASE("a probe finds what it says, and adds to what is there", "[train][contract]") {
  for (const search::ProbeRow& row : search::probe_rows()) {
    INFO(row.name);
    const auto probe = make(row, options());
    Findings found;
    found.metrics["before"] = 1;
    probe->ask(candidate(testing::small_net()), {.seed = 1, .on_progress = {}}, found);
    CHECK(found.metrics.at("before") == 1);
    CHECK(found.metrics.size() == probe->finds().size() + 1);
    for (const std::string& metric : probe->finds()) {
      INFO(metric);
      CHECK(search::find_metric(metric) != nullptr);
      CHECK(std::isfinite(found.metrics.at(metric)));
    }
  }
}

TEST_CASE("a probe states its cost before it is asked, and the same after", "[train][contract]") {
  for (const search::ProbeRow& row : search::probe_rows()) {
    INFO(row.name);
    TrainOptions longer = options();
    longer.epochs = 6;
    const auto probe = make(row, options());
    const double cost = probe->cost_seconds();
    CHECK(cost > 0);
    CHECK(std::isfinite(cost));
    if (row.trains()) CHECK(make(row, longer)->cost_seconds() > cost);
    answer(*probe, candidate(testing::small_net()), 1);
    CHECK(probe->cost_seconds() == cost);
  }
}

TEST_CASE("a probe tells how far it is, up to the end", "[train][contract]") {
  for (const search::ProbeRow& row : search::probe_rows()) {
    INFO(row.name);
    double latest = 0;
    bool rising = true;
    Findings found;
    make(row, options())
        ->ask(candidate(testing::small_net()),
              {.seed = 1,
               .on_progress =
                   [&](double fraction, const std::string&) {
                     rising = rising && fraction >= latest;
                     latest = fraction;
                   }},
              found);
    CHECK(rising);
    CHECK(latest == 1.0);
  }
}

TEST_CASE("a candidate that fails is told from a machine that does", "[train][contract]") {
  for (const search::ProbeRow& row : search::probe_rows()) {
    INFO(row.name);
    const auto c = candidate(testing::small_net());
    TrainOptions diverging = options();
    diverging.lr = 1e30;
    diverging.warmup_epochs = 0;
    for (int again = 0; row.trains() && again < 2; ++again)
      CHECK_THROWS_AS(answer(*make(row, diverging), c, 1), search::CandidateError);

    if (row.inherits) continue;  // no file of weights is an option there
    TrainOptions elsewhere = options();
    elsewhere.init = "/no/such/weights.safetensors";
    try {
      answer(*make(row, elsewhere), c, 1);
      FAIL("weights that are not there were read");
    } catch (const search::CandidateError& e) {
      FAIL("trouble of the machine was called the candidate's: " << e.what());
    } catch (const core::Error& e) {
      CHECK_THAT(e.what(), Catch::Contains("/no/such/weights"));
    }
  }
}

TEST_CASE("a probe stops when it is asked to", "[train][contract]") {
  for (const search::ProbeRow& row : search::probe_rows()) {
    INFO(row.name);
    const testing::ClearStop clear;
    Findings found;
    const auto ask = [&] {
      make(row, options())
          ->ask(candidate(testing::small_net()),
                {.seed = 1, .on_progress = [](double, const std::string&) { core::request_stop(SIGINT); }}, found);
    };
    CHECK_THROWS_AS(ask(), core::Stopped);
    CHECK(found.metrics.empty());
  }
}

}  // namespace condenser::train
