// What came out: the figures at the top of the page, and what belongs to none of the other sections.

#include <cmath>

#include "condenser/arch/analysis.hpp"
#include "report/sections/sections.hpp"

namespace condenser::report {
namespace {

std::string interval_text(const quant::Accuracy& a) {
  const quant::Interval i = quant::wilson_95(a);
  return std::to_string(a.correct) + " of " + std::to_string(a.total) + ", 95 % between " +
         core::fixed(i.low_percent, 2) + " and " + core::fixed(i.high_percent, 2);
}

std::string percent(const quant::Accuracy& a) { return core::fixed(a.percent(), 2) + " %"; }

// The AUC where the data tell what is normal, else the error alone.
Fact reconstruction_fact(const std::string& form, const quant::Reconstruction& r) {
  const std::string error = core::significant(r.error, 5), items = std::to_string(r.items) + " items";
  if (std::isnan(r.auc_percent)) return {"Test reconstruction error, " + form, error, items};
  return {"Test AUC, " + form, core::fixed(r.auc_percent, 2) + " %", items + ", reconstruction error " + error};
}

std::string kib(int64_t bytes) { return core::fixed(static_cast<double>(bytes) / 1024, 1) + " KiB"; }

}  // namespace

std::string accuracy_text(const quant::Accuracy& a) {
  const quant::Interval i = quant::wilson_95(a);
  return core::fixed(a.percent(), 2) + " % (" + std::to_string(a.correct) + " of " + std::to_string(a.total) +
         "; 95 % interval " + core::fixed(i.low_percent, 2) + " to " + core::fixed(i.high_percent, 2) + ")";
}

std::vector<Fact> result_facts(const Material& m) {
  std::vector<Fact> facts;
  const auto accuracy = [&](const char* what, const std::optional<quant::Accuracy>& a) {
    if (a && a->total > 0)
      facts.push_back({what, percent(*a), interval_text(*a)});
    else
      facts.push_back({what, "–", "not measured yet"});
  };
  if (const auto r = test_reconstruction(m)) {
    facts.push_back(reconstruction_fact("float", *r));
    if (m.quantized && m.quantized->int8_reconstruction)
      facts.push_back(reconstruction_fact("int8", *m.quantized->int8_reconstruction));
  } else {
    accuracy("Test accuracy, float", test_accuracy(m));
    accuracy("Test accuracy, int8", m.quantized ? std::optional(m.quantized->as_int8) : std::nullopt);
  }
  const std::string tables =
      m.front_end_bytes > 0 ? "; " + core::thousands(m.front_end_bytes) + " more for the front-end" : "";
  facts.push_back({"Flash", kib(m.design.lowered_cost.constant_bytes),
                   core::thousands(m.design.lowered_cost.constant_bytes) + " bytes of constants" + tables});
  facts.push_back({"RAM", kib(m.design.plan.peak_bytes),
                   core::thousands(m.design.plan.peak_bytes) + " bytes of arena" +
                       (m.stack ? ", " + core::thousands(m.stack->bytes) + " of stack on " + m.stack->machine : "")});
  facts.push_back({"Parameters", core::thousands(m.design.cost.params), ""});
  facts.push_back({"Work", core::thousands(m.design.cost.macs), "multiply-accumulates"});
  if (m.proof)
    facts.push_back({"Export proven", m.proof->passed ? "yes" : "NO",
                     "every output integer on " + std::to_string(m.proof->samples) + " test items"});
  if (const auto score = netscore(m))
    facts.push_back({"NetScore", core::fixed(*score, 2), "accuracy against size and work"});
  return facts;
}

std::optional<Section> result_section(const Material& m) {
  Pairs t;
  t.add("network", m.hash);
  if (m.trained && m.trained->validation.total > 0)
    t.add(m.trained->on_validation ? "validation part, trained on: no measure" : "float accuracy, validation part",
          accuracy_text(m.trained->validation));
  if (m.trained && m.trained->reconstruction)
    t.add(m.trained->on_validation ? "validation part, trained on: no measure" : "validation part, float",
          quant::to_string(*m.trained->reconstruction));
  for (const search::Verdict& v : m.verdicts)
    if (!v.passed) t.add("does not hold", v.rule + ": " + v.value + "; limit " + v.limit);
  return Section{"result", "Result", {t.block()}};
}

}  // namespace condenser::report
