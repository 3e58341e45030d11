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
  std::vector<std::string> finds() const override { return {name_}; }
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
  for (const char* found : {"a", "d", "params", "arena_bytes"}) CHECK(inquisitor.finds(found));
  for (const char* absent : {"e", "val_accuracy", "netscore", ""}) CHECK_FALSE(inquisitor.finds(absent));
}

TEST_CASE("netscore is found where the accuracy is", "[search]") {
  std::string log;
  std::vector<std::unique_ptr<search::Probe>> probes;
  probes.push_back(std::make_unique<NotingProbe>("val_accuracy", 1, &log));
  CHECK(search::Inquisitor(std::move(probes)).finds("netscore"));
}
