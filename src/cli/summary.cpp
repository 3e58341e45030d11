// The winner's files, and the summary of a run from the files of its stages.

#include "cli/summary.hpp"

#include <nlohmann/json.hpp>

#include "cli/cost_estimate.hpp"
#include "condenser/arch/spec_io.hpp"

namespace condenser::cli {

using nlohmann::ordered_json;

namespace {

ordered_json read_json(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return nullptr;
  try {
    return ordered_json::parse(core::read_file(file));
  } catch (const ordered_json::exception& e) {
    throw core::Error(file.string() + ": not valid JSON: " + e.what());
  }
}

ordered_json verdicts_json(const std::vector<search::Verdict>& verdicts) {
  ordered_json list = ordered_json::array();
  for (const auto& v : verdicts)
    list.push_back({{"rule", v.rule}, {"passed", v.passed}, {"node", v.node}, {"value", v.value}, {"limit", v.limit}});
  return list;
}

std::string accuracy_line(const ordered_json& a) {
  return quant::to_string(quant::Accuracy{a.at("correct").get<int64_t>(), a.at("total").get<int64_t>()});
}

}  // namespace

void write_winner(const RunContext& run, const arch::Spec& spec, const search::Trial* trial,
                  const std::vector<search::Verdict>& verdicts) {
  ordered_json j;
  j["schema_version"] = 1;
  j["spec_hash"] = arch::hash(spec).hex();
  if (trial) {
    j["trial"] = trial->index;
    j["genotype"] = search::to_text(*run.config.space, trial->genotype);
    j["metrics"] = trial->findings.metrics;
  }
  j["verdicts"] = verdicts_json(verdicts);
  arch::write_spec(run.folder / "winner.arch.json", spec);
  core::write_atomic(run.folder / "winner.json", j.dump(2) + "\n");
}

std::string summary_json(const RunContext& run) {
  const arch::Design winner = load_winner(run);
  const arch::Analysis& cost = winner.cost;
  const std::string hash = arch::hash(winner.spec).hex();
  const ordered_json quantized = read_json(run.folder / "quant_report.json"),
                     proof = read_json(run.folder / "verify.json");
  const bool current = !quantized.is_null() && quantized.at("spec_hash") == hash;

  ordered_json j;
  j["schema_version"] = 1;
  j["name"] = run.config.name;
  j["spec_hash"] = hash;
  j["lowered_hash"] = arch::hash(winner.lowered).hex();
  j["params"] = cost.params;
  j["macs"] = cost.macs;
  j["constant_bytes"] = winner.lowered_cost.constant_bytes;
  j["arena_bytes"] = winner.plan.peak_bytes;
  j["float_accuracy"] = current ? quantized.at("test_float") : ordered_json(nullptr);
  j["int8_accuracy"] = current ? quantized.at("test_int8") : ordered_json(nullptr);
  j["netscore"] =
      current ? ordered_json(arch::netscore(quantized.at("test_float").at("accuracy_percent"), cost.params, cost.macs))
              : ordered_json(nullptr);
  const search::Gate gate = make_gate(run.config);
  std::vector<search::Verdict> verdicts = gate.before_training(winner);
  if (current)
    for (auto& v : gate.after_training(quantized.at("test_float").at("accuracy_percent"))) verdicts.push_back(v);
  j["verdicts"] = verdicts_json(verdicts);
  j["verified"] = proof.is_null() ? ordered_json(nullptr) : proof.at("passed");
  int64_t compared = 0;
  if (!proof.is_null())
    for (const auto& check : proof.at("checks")) compared = std::max(compared, check.at("samples").get<int64_t>());
  j["verified_samples"] = proof.is_null() ? ordered_json(nullptr) : ordered_json(compared);
  return j.dump(2) + "\n";
}

std::string closing_lines(const RunContext& run, const std::string& json, const std::string& subject) {
  const ordered_json j = ordered_json::parse(json);
  std::string text = "\nwinner          " + j.at("spec_hash").get<std::string>() + "\n";
  if (!j.at("float_accuracy").is_null()) {
    text += "float accuracy  " + accuracy_line(j.at("float_accuracy")) + " on the test part\n";
    text += "int8 accuracy   " + accuracy_line(j.at("int8_accuracy")) + "\n";
  }
  text += "size            " + core::thousands(j.at("params")) + " parameters, " + core::thousands(j.at("macs")) +
          " MACs\n";
  text += "flash           " + core::bytes_text(j.at("constant_bytes")) + " of constants (code not counted)\n";
  text += "RAM             " + core::bytes_text(j.at("arena_bytes")) +
          " arena, input and output included (stack not counted)\n";
  if (!j.at("verified").is_null())
    text += std::string("verified        ") + (j.at("verified").get<bool>() ? "yes" : "NO") +
            ", every output integer on " + std::to_string(j.at("verified_samples").get<int64_t>()) + " test images\n";
  for (const auto& v : j.at("verdicts"))
    if (!v.at("passed").get<bool>())
      text += "does not hold   " + v.at("rule").get<std::string>() + ": " + v.at("value").get<std::string>() +
              "; limit " + v.at("limit").get<std::string>() + "\n";
  text += "files           " + run.folder.string() + "/ (report.md, weights.safetensors";
  for (const std::string& target : run.config.targets) text += ", export/" + target + "/";
  text += ")\n\nNext: your own images, in folders train/<class>/ and test/<class>/:\n  " +
          std::filesystem::read_symlink("/proc/self/exe").string() + " run " +
          (std::filesystem::is_directory(subject) ? "<run.yaml>" : subject) +
          " name=my_images dataset.folder=/path/to/images dataset.shape=[" + std::to_string(run.config.card.shape.c) +
          "," + std::to_string(run.config.card.shape.h) + "," + std::to_string(run.config.card.shape.w) + "]" +
          " dataset.card=\n";
  return text;
}

}  // namespace condenser::cli
