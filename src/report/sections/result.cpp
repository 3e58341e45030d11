// What came out: the figures at the top, and the table that holds every one of them in full.

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

std::string kib(int64_t bytes) { return core::fixed(static_cast<double>(bytes) / 1024, 1) + " KiB"; }

}  // namespace

std::string accuracy_text(const quant::Accuracy& a) {
  const quant::Interval i = quant::wilson_95(a);
  return core::fixed(a.percent(), 2) + " % (" + std::to_string(a.correct) + " of " + std::to_string(a.total) +
         "; 95 % interval " + core::fixed(i.low_percent, 2) + " to " + core::fixed(i.high_percent, 2) + ")";
}

std::vector<Fact> result_facts(const Material& m) {
  std::vector<Fact> facts;
  if (const auto test = test_accuracy(m)) facts.push_back({"Test accuracy, float", percent(*test), interval_text(*test)});
  if (m.quantized) facts.push_back({"Test accuracy, int8", percent(m.quantized->as_int8), interval_text(m.quantized->as_int8)});
  facts.push_back({"Flash", kib(m.lowered_cost.constant_bytes), core::thousands(m.lowered_cost.constant_bytes) + " bytes of constants"});
  facts.push_back({"RAM", kib(m.plan.peak_bytes), core::thousands(m.plan.peak_bytes) + " bytes of arena"});
  facts.push_back({"Parameters", core::thousands(m.cost.params), ""});
  facts.push_back({"Work", core::thousands(m.cost.macs), "multiply-accumulates"});
  if (m.proof)
    facts.push_back({"Export proven", m.proof->passed ? "yes" : "NO",
                     "every output integer on " + std::to_string(m.proof->samples) + " items"});
  return facts;
}

std::optional<Section> result_section(const Material& m) {
  Pairs t;
  t.add("network", m.hash);
  const auto test = test_accuracy(m);
  t.add("float accuracy, test part", test ? accuracy_text(*test) : "not measured yet");
  t.add("int8 accuracy, test part", m.quantized ? accuracy_text(m.quantized->as_int8) : "not measured yet");
  if (m.trained && m.trained->validation.total > 0)
    t.add(m.trained->on_validation ? "validation part, trained on: no measure" : "float accuracy, validation part",
          accuracy_text(m.trained->validation));
  t.add("parameters", core::thousands(m.cost.params));
  t.add("MACs", core::thousands(m.cost.macs));
  t.add("flash (constants)", core::bytes_text(m.lowered_cost.constant_bytes));
  t.add("RAM (arena)", core::bytes_text(m.plan.peak_bytes));
  if (const auto score = netscore(m)) t.add("NetScore", core::fixed(*score, 2));
  if (m.proof)
    t.add("export verified",
          std::string(m.proof->passed ? "yes" : "no") + ", on " + std::to_string(m.proof->samples) + " test items");
  return Section{"result", "Result", {t.block()}};
}

}  // namespace condenser::report
