#include "condenser/search/inquisitor.hpp"

#include "support/catch.hpp"
#include "support/fakes.hpp"

using namespace condenser;

namespace {

class NotingProbe final : public search::Probe {
 public:
  NotingProbe(std::string name, double cost, std::string* log) : name_(std::move(name)), cost_(cost), log_(log) {}
  std::string name() const override { return name_; }
  double cost_seconds() const override { return cost_; }
  void ask(const search::Candidate&, const search::ProbeContext& context, search::Findings& f) override {
    *log_ += name_;
    f.metrics[name_] = static_cast<double>(context.seed);
  }

 private:
  std::string name_;
  double cost_;
  std::string* log_;
};

}  // namespace

TEST_CASE("probes are asked cheapest first", "[search]") {
  std::string log;
  std::vector<std::unique_ptr<search::Probe>> probes;
  for (auto [name, cost] : {std::pair{"c", 30.0}, {"a", 0.1}, {"b", 2.0}, {"d", 30.0}}) {
    probes.push_back(std::make_unique<NotingProbe>(name, cost, &log));
  }
  const search::Inquisitor inquisitor(std::move(probes));
  const search::Findings findings = inquisitor.examine({}, {.seed = 7});
  CHECK(log == "abcd");
  CHECK(findings.metrics.at("d") == 7);
  CHECK(inquisitor.cost_seconds() == Approx(62.1));
}

TEST_CASE("advice prefers what did well", "[search]") {
  const fakes::ChainSpace space(1, 3);
  std::vector<search::Trial> trials;
  const auto add = [&](int choice, double accuracy, bool feasible) {
    search::Trial t;
    t.index = static_cast<int64_t>(trials.size());
    t.genotype.choice = {choice, 0, 0};
    t.findings.metrics["val_accuracy"] = accuracy;
    if (!feasible) t.verdicts = {{"max_params", false, "", "", ""}};
    trials.push_back(t);
  };
  const search::Inquisitor inquisitor({});
  add(0, 99, false);
  CHECK(inquisitor.advise(space, {&trials, 1, "val_accuracy"}).preference.empty());
  add(0, 50, true);
  add(1, 80, true);
  add(1, 70, true);
  add(2, 0, true);  // beyond the limit below
  const search::Advice advice = inquisitor.advise(space, {&trials, 4, "val_accuracy"});
  const std::vector<double>& w0 = advice.preference.at("w0");
  const double mean = (50 + 80 + 70) / 3.0;
  CHECK(w0[0] == Approx(50 - mean));
  CHECK(w0[1] == Approx(75 - mean));
  CHECK(w0[2] == 0);  // never tried
  CHECK(advice.preference.at("unused")[0] == Approx(0).margin(1e-9));
}
