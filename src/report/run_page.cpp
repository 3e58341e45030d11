// The report of a run: which sections there are, and the summary for programs.

#include <cmath>
#include <nlohmann/json.hpp>

#include "condenser/arch/analysis.hpp"
#include "report/sections/sections.hpp"

namespace condenser::report {
namespace {

using nlohmann::ordered_json;

// In the order of the page. A new section: a file in sections/ and a row here.
constexpr std::optional<Section> (*kSections[])(const Material&) = {
    result_section,  constraints_section, network_section, memory_section, training_section,
    classes_section, int8_section,        proof_section,   search_section, environment_section,
};

ordered_json accuracy_json(const std::optional<quant::Accuracy>& a) {
  if (!a || a->total == 0) return nullptr;
  const quant::Interval i = quant::wilson_95(*a);
  return {{"correct", a->correct},
          {"total", a->total},
          {"accuracy_percent", a->percent()},
          {"low_percent", i.low_percent},
          {"high_percent", i.high_percent}};
}

ordered_json reconstruction_json(const quant::Reconstruction& r) {
  return {{"error", r.error},
          {"auc_percent", std::isnan(r.auc_percent) ? ordered_json(nullptr) : ordered_json(r.auc_percent)},
          {"items", r.items}};
}

template <class Value>
ordered_json or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

// Of the test part, as the quantizer measured them, by key with its unit.
ordered_json metrics_json(const Material& m, double BothForms::*form) {
  if (!m.quantized) return nullptr;
  ordered_json j = ordered_json::object();
  for (const BothForms& f : m.quantized->figures) j[f.key] = std::isfinite(f.*form) ? ordered_json(f.*form) : nullptr;
  return j;
}

}  // namespace

std::optional<quant::Accuracy> test_accuracy(const Material& m) {
  if (m.evaluated && m.evaluated->test) return m.evaluated->accuracy;
  if (m.quantized) return m.quantized->as_float;
  return std::nullopt;
}

std::optional<quant::Reconstruction> test_reconstruction(const Material& m) {
  if (m.evaluated && m.evaluated->test) return m.evaluated->reconstruction;
  return m.quantized ? m.quantized->float_reconstruction : std::nullopt;
}

std::optional<double> netscore(const Material& m) {
  const auto accuracy = test_accuracy(m);
  if (!accuracy || accuracy->total == 0) return std::nullopt;
  const double score = arch::netscore(accuracy->percent(), m.design.cost.params, m.design.cost.macs);
  return std::isfinite(score) ? std::optional(score) : std::nullopt;  // nothing right: minus infinity
}

Page run_page(const Material& m) {
  Page page{m.name,
            "Data: " + m.dataset + (m.dataset_about.empty() ? "" : ": " + m.dataset_about),
            result_facts(m),
            warnings(m),
            {}};
  for (const auto& section : kSections)
    if (std::optional<Section> made = section(m)) page.sections.push_back(std::move(*made));
  return page;
}

std::string summary_json(const Material& m) {
  ordered_json j;
  j["schema_version"] = 1;
  j["name"] = m.name;
  j["spec_hash"] = m.hash;
  j["lowered_hash"] = m.lowered_hash;
  j["params"] = m.design.cost.params;
  j["macs"] = m.design.cost.macs;
  j["constant_bytes"] = m.design.lowered_cost.constant_bytes;
  j["arena_bytes"] = m.design.plan.peak_bytes;
  if (!m.design.plan.strips.empty()) j["strips"] = m.design.plan.strips.rows.size();
  if (m.stack) {
    j["stack_bytes"] = m.stack->bytes;
    j["ram_bytes"] = m.design.plan.peak_bytes + m.stack->bytes;
  }
  j["float_accuracy"] = accuracy_json(test_accuracy(m));
  j["int8_accuracy"] = accuracy_json(m.quantized ? std::optional(m.quantized->as_int8) : std::nullopt);
  j["float_metrics"] = metrics_json(m, &BothForms::as_float);
  j["int8_metrics"] = metrics_json(m, &BothForms::as_int8);
  if (const auto r = test_reconstruction(m)) j["float_reconstruction"] = reconstruction_json(*r);
  if (m.quantized && m.quantized->int8_reconstruction)
    j["int8_reconstruction"] = reconstruction_json(*m.quantized->int8_reconstruction);
  j["netscore"] = or_null(netscore(m));
  j["verdicts"] = ordered_json::array();
  for (const search::Verdict& v : m.verdicts)
    j["verdicts"].push_back(
        {{"rule", v.rule}, {"passed", v.passed}, {"node", v.node}, {"value", v.value}, {"limit", v.limit}});
  j["verified"] = m.proof ? ordered_json(m.proof->passed) : ordered_json(nullptr);
  j["verified_samples"] = m.proof ? ordered_json(m.proof->samples) : ordered_json(nullptr);
  j["warnings"] = ordered_json::array();
  for (const Warning& w : warnings(m)) j["warnings"].push_back({{"code", w.code}, {"message", w.message}});
  return j.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace condenser::report
