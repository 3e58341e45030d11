// The winner's files, and the summary of a run from the files of its stages.

#include "cli/summary.hpp"

#include <algorithm>

#include "cli/cost_estimate.hpp"
#include "cli/run_identity.hpp"
#include "condenser/arch/memory.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/spec_io.hpp"

namespace condenser::cli {

namespace {

std::string accuracy_line(const AccuracyRecord& a) { return quant::to_string(quant::Accuracy{a.correct, a.total}); }

// Of a stage that made it with the options of this call.
template <class Record>
std::optional<Record> current(RunContext& run, const std::string& stage) {
  auto record = find_record<Record>(run.folder);
  if (record && !changes(record->settings, settings_of(run, stage)).empty()) record.reset();
  return record;
}

}  // namespace

void write_winner(RunContext& run, const arch::Spec& spec, WinnerRecord record) {
  record.spec_hash = arch::hash(spec).hex();
  record.settings = settings_of(run, "search");
  arch::write_spec(run.folder / "winner.arch.json", spec);
  write_record(run.folder, record);
}

SummaryRecord summary_of(RunContext& run) {
  const arch::Spec winner = load_winner(run);
  const arch::Spec lowered = arch::lower(winner, nullptr);
  const arch::Analysis cost = arch::analyze(winner), lowered_cost = arch::analyze(lowered);
  const auto quantized = current<QuantRecord>(run, "quantize");
  const auto proof = current<VerifyRecord>(run, "verify");

  SummaryRecord s{.name = run.config.name,
                  .spec_hash = arch::hash(winner).hex(),
                  .lowered_hash = arch::hash(lowered).hex(),
                  .params = cost.params,
                  .macs = cost.macs,
                  .constant_bytes = lowered_cost.constant_bytes,
                  .arena_bytes = arch::plan_memory(lowered, lowered_cost).peak_bytes};
  const search::Gate gate = make_gate(run.config);
  s.verdicts = gate.before_training(winner);
  if (quantized) {
    s.float_accuracy = quantized->test_float;
    s.int8_accuracy = quantized->test_int8;
    const double percent = quantized->test_float.accuracy_percent;
    if (percent > 0) s.netscore = arch::netscore(percent, cost.params, cost.macs);
    for (auto& v : gate.after_training(percent)) s.verdicts.push_back(v);
  }
  if (proof) {
    s.verified = proof->passed;
    s.verified_samples = 0;
    for (const CheckRecord& check : proof->checks) s.verified_samples = std::max(*s.verified_samples, check.samples);
  }
  return s;
}

std::string closing_lines(const RunContext& run, const SummaryRecord& s, const std::string& subject) {
  std::string text = "\nwinner          " + s.spec_hash + "\n";
  if (s.float_accuracy) text += "float accuracy  " + accuracy_line(*s.float_accuracy) + " on the test part\n";
  if (s.int8_accuracy) text += "int8 accuracy   " + accuracy_line(*s.int8_accuracy) + "\n";
  text += "size            " + core::thousands(s.params) + " parameters, " + core::thousands(s.macs) + " MACs\n";
  text += "flash           " + core::bytes_text(s.constant_bytes) + " of constants (code not counted)\n";
  text += "RAM             " + core::bytes_text(s.arena_bytes) +
          " arena, input and output included (stack not counted)\n";
  if (s.verified)
    text += std::string("verified        ") + (*s.verified ? "yes" : "NO") + ", every output integer on " +
            std::to_string(s.verified_samples.value_or(0)) + " test images\n";
  for (const auto& v : s.verdicts)
    if (!v.passed) text += "does not hold   " + v.rule + ": " + v.value + "; limit " + v.limit + "\n";
  text += "files           " + run.folder.string() + "/ (report.md, weights.safetensors";
  for (const std::string& target : run.config.targets) text += ", export/" + target + "/";
  text += ")\n\nNext: your own images, in folders train/<class>/ and test/<class>/:\n  " +
          std::filesystem::read_symlink("/proc/self/exe").string() + " run " +
          (std::filesystem::is_directory(subject) ? "<run.yaml>" : subject) +
          " name=my_images dataset.folder=/path/to/images dataset.shape=[" + std::to_string(run.config.card.shape.c) +
          "," + std::to_string(run.config.card.shape.h) + "," + std::to_string(run.config.card.shape.w) + "]" +
          (run.config.dataset.folder.empty() ? " dataset.card=" : "") + "\n";
  return text;
}

}  // namespace condenser::cli
