// Goals and constraints: what is read, what is refused, what comes out.

#include "condenser/search/objective.hpp"

#include <cmath>

#include "support/catch.hpp"

using namespace condenser;
using search::Constraint;
using search::Findings;
using search::Goal;
using search::Objective;

namespace {

Findings findings() {
  Findings f;
  f.metrics = {{"val_accuracy", 90}, {"val_loss", 0.25}, {"params", 1000}, {"macs", 1e6}};
  return f;
}

double value(const std::string& text) { return Goal::parse(text).value(findings()).value_or(NAN); }

std::string complaint(const std::string& text) {
  try {
    (void)Goal::parse(text);
  } catch (const core::ConfigError& e) {
    return e.what();
  }
  return "";
}

Objective read(const std::string& yaml) {
  auto reader = core::config::Reader::from_text(yaml, "run");
  Objective objective;
  search::read_options(reader, objective);
  reader.finish();
  return objective;
}

std::string reading(const std::string& yaml) {
  try {
    (void)read(yaml);
  } catch (const core::ConfigError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a goal is a metric, with the table's direction unless it says another", "[search]") {
  CHECK(value("val_accuracy") == 90);
  CHECK(value("val_loss") == -0.25);
  CHECK(Goal::parse("val_loss").number(findings()) == 0.25);
  CHECK(value("minimize val_accuracy") == -90);
  CHECK(value("maximize params") == 1000);
  CHECK(Goal::parse(" minimize  val_loss ").text == "val_loss");
  CHECK(Goal::parse("maximize val_loss").text == "maximize val_loss");
  CHECK(Goal::parse("macs").metric() == search::find_metric("macs"));
  CHECK_FALSE(Goal::parse("macs").measured());
  CHECK(Goal::parse("netscore").measured());
  CHECK_FALSE(Goal::parse("val_accuracy").value({}));
}

TEST_CASE("a goal is an expression over metrics", "[search]") {
  CHECK(value("val_accuracy - 2*log10(params/100000) - 0.5*log10(macs)") == Approx(90 + 4 - 3));
  CHECK(value("minimize val_loss + 0.1*log10(macs)") == Approx(-0.85));
  CHECK(value("-2^2 + 0*params") == -4);
  CHECK(value("1/2 + 0 * params") == 0.5);
  CHECK(value("7e-1*val_accuracy") == Approx(63));
  CHECK(value("max(params, macs, 3) + min(1, val_loss)") == Approx(1e6 + 0.25));
  CHECK(value("abs(-params) + sqrt(macs) + ln(exp(2)) + log2(8)") == Approx(1000 + 1000 + 2 + 3));
  const Goal goal = Goal::parse("val_accuracy / params + val_accuracy");
  CHECK(goal.metrics == std::vector{search::find_metric("val_accuracy"), search::find_metric("params")});
  CHECK(goal.metric() == nullptr);
  CHECK(goal.measured());
  CHECK_FALSE(Goal::parse("log10(params*macs)").measured());
}

TEST_CASE("what has no finite value has none", "[search]") {
  Findings f = findings();
  f.metrics["macs"] = 0;
  CHECK_FALSE(Goal::parse("val_accuracy / macs").value(f));
  CHECK_FALSE(Goal::parse("log10(macs)").value(f));
  CHECK_FALSE(Goal::parse("sqrt(macs - 1)").value(f));
  f.metrics["macs"] = NAN;
  CHECK_FALSE(Goal::parse("macs").value(f));
  CHECK_FALSE(Goal::parse("min(macs, 1)").value(f));
  f.metrics.erase("macs");
  CHECK_FALSE(Goal::parse("val_accuracy + macs").value(f));
  CHECK(Goal::parse("val_accuracy + params").value(f) == 1090);
}

TEST_CASE("what cannot be a goal is refused when it is read", "[search]") {
  CHECK_THAT(complaint(""), Catch::Contains("empty"));
  CHECK_THAT(complaint("minimize "), Catch::Contains("unknown metric minimize"));
  CHECK_THAT(complaint("val_acuracy"), Catch::Contains("did you mean val_accuracy"));
  CHECK_THAT(complaint("val_accuracy - 2*log10(parms)"), Catch::Contains("did you mean params"));
  CHECK_THAT(complaint("log(params)"), Catch::Contains("unknown function log") && Catch::Contains("log10"));
  CHECK_THAT(complaint("2 + 3"), Catch::Contains("the same for every network"));
  CHECK_THAT(complaint("val_accuracy / 0"), Catch::Contains("no value"));
  CHECK_THAT(complaint("log10(-params)"), Catch::Contains("no value"));
  CHECK_THAT(complaint("sqrt(-1) * params"), Catch::Contains("no value"));
  CHECK_THAT(complaint(std::string(2000, '(') + "params"), Catch::Contains("at most 1000"));
  for (const char* text : {"val_accuracy +", "(params", "params)", "params macs", "min() + params", "2 params",
                           "* params", "params, macs", "params +* macs", "params 2", "1.2.3*params", "params//macs"}) {
    INFO(text);
    CHECK_THAT(complaint(text), Catch::Contains("cannot be read"));
  }
  for (const char* text : {"params = 3", "params > 3", "\"params\"", "params[0]", "{params}", "params; macs",
                           "params\nmacs", "params?macs:1", "p\xc3\xa4rams", "params & macs", "params!"}) {
    INFO(text);
    CHECK_THAT(complaint(text), Catch::Contains("means nothing here") || Catch::Contains("unknown metric"));
    CHECK(complaint(text).find('\n') == std::string::npos);
  }
}

TEST_CASE("many threads may ask one goal", "[search]") {
  const Goal goal = Goal::parse("val_accuracy - 2*log10(params)");
  const Goal copy = goal;
  CHECK(copy.value(findings()) == goal.value(findings()));
}

TEST_CASE("several goals have a value each, or none", "[search]") {
  const Objective objective(std::vector<std::string>{"val_accuracy", "macs"});
  CHECK(objective.several());
  CHECK(objective.text() == "val_accuracy, macs");
  CHECK(objective.value(findings()) == 90);
  CHECK(objective.values(findings()) == std::vector<double>{90, -1e6});
  Findings f = findings();
  f.metrics.erase("macs");
  CHECK_FALSE(objective.values(f));
  CHECK(Objective().text() == "val_accuracy");
}

TEST_CASE("a constraint is a comparison with a measured metric", "[search]") {
  const Constraint floor = Constraint::parse("val_accuracy", ">= 90"), loss = Constraint::parse("val_loss", "<0.5");
  CHECK(floor.verdict(findings()) == search::Verdict{"min_val_accuracy", true, "", "90.00 %", "at least 90 %"});
  CHECK(loss.verdict(findings()) == search::Verdict{"max_val_loss", true, "", "0.2500", "less than 0.5"});
  CHECK(floor.text() == "val_accuracy >= 90");
  CHECK_FALSE(Constraint::parse("val_accuracy", "> 90").met(90));
  CHECK_FALSE(floor.met(NAN));
  CHECK_FALSE(loss.met(0.5));
  CHECK(Constraint::parse("val_loss", "<= 0.5").met(0.5));
  const search::Verdict missing = floor.verdict({});
  CHECK_FALSE(missing.passed);
  CHECK(missing.value == "val_accuracy was not measured");
  for (const char* text : {"", "90", "= 90", ">=", ">= x", "> 90 %", "> nan", "< inf", ">> 3", "=> 3"})
    CHECK_THROWS_WITH(Constraint::parse("val_accuracy", text), Catch::Contains("no comparison"));
  CHECK_THROWS_WITH(Constraint::parse("val_acuracy", "> 3"), Catch::Contains("did you mean val_accuracy"));
  CHECK_THROWS_WITH(Constraint::parse("macs", "< 3"), Catch::Contains("gate.max_macs"));
}

TEST_CASE("the probability of a limit is the normal distribution's", "[search]") {
  CHECK(search::probability(91, 1, 90, true) == Approx(0.8413447));
  CHECK(search::probability(91, 1, 90, false) == Approx(0.1586553));
  CHECK(search::probability(0.2, 0.1, 0.2, false) == Approx(0.5));
  CHECK(search::probability(5, 0, 5, true) == 1);
  CHECK(search::probability(5, 0, 5.1, true) == 0);
}

TEST_CASE("a run file names one objective or several, and constraints", "[search]") {
  CHECK(read("{}").text() == "val_accuracy");
  CHECK(read("objective: val_accuracy - 2*log10(params)").text() == "val_accuracy - 2*log10(params)");
  CHECK(read("objectives: [val_accuracy, macs]").text() == "val_accuracy, macs");
  CHECK(read("{objective: val_accuracy, objectives: [val_loss, minimize log10(macs)]}").several());
  const Objective o = read("constraints: {val_accuracy: '>= 90', val_loss: < 0.5}");
  REQUIRE(o.constraints.size() == 2);
  CHECK(o.constraints[1] == Constraint::parse("val_loss", "< 0.5"));
  CHECK(o.verdicts(findings()).size() == 2);
  CHECK(o.metrics() == std::vector{search::find_metric("val_accuracy"), search::find_metric("val_loss")});
}

TEST_CASE("a run file's wrong objective is refused with its place", "[search]") {
  CHECK_THAT(reading("objective: val_acuracy"), Catch::Contains("run:1: objective") && Catch::Contains("did you mean"));
  CHECK_THAT(reading("objectives: [val_accuracy, mac]"), Catch::Contains("objectives") && Catch::Contains("macs"));
  CHECK_THAT(reading("objectives: [val_accuracy]"), Catch::Contains("two to 4"));
  CHECK_THAT(reading("objectives: [macs, minimize macs]"), Catch::Contains("each of them once"));
  CHECK_THAT(reading("{objective: val_loss, objectives: [val_accuracy, macs]}"), Catch::Contains("not both"));
  CHECK_THAT(reading("constraints: {val_accuracy: 90}"), Catch::Contains("no comparison") && Catch::Contains("run:1"));
  CHECK_THAT(reading("constraints: {params: < 9}"), Catch::Contains("gate.max_params"));
}
