// The winner's files, and the last lines of a run.

#include "cli/summary.hpp"

#include "cli/run_identity.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {

void write_winner(RunContext& run, const arch::Spec& spec, WinnerRecord record) {
  record.spec_hash = arch::hash(spec).hex();
  record.settings = settings_of(run, "search");
  arch::write_spec(run.folder / "winner.arch.json", spec);
  write_record(run.folder, record);
}

// What a reader looks for first, of that which is there.
static std::vector<std::string> files_of(const RunContext& run) {
  std::vector<std::string> files = {"report.html", "report.md", "weights.safetensors"};
  for (const std::string& target : run.config.targets) files.push_back("export/" + target + "/");
  std::erase_if(files, [&](const std::string& file) { return !std::filesystem::exists(run.folder / file); });
  return files;
}

// What the search chose before the network; the figures of flash and RAM are the network's alone.
static std::string chosen_input(const RunContext& run) {
  if (!run.config.space || !run.config.space->chooses_input()) return "";
  const data::Card card = run.card();
  const std::string text = core::to_string(card.shape) + ", chosen by the search";
  if (card.format != "wav_folder") return text;
  const data::FrontEndCost cost = data::cost_of(card.audio);
  return text + "; its front-end takes " + core::bytes_text(cost.constant_bytes) + " of constants and " +
         core::bytes_text(cost.buffer_bytes) + " of buffers before the network runs";
}

std::string closing_lines(const RunContext& run, const report::Material& m) {
  std::string text;
  const auto line = [&](std::string what, const std::string& words) {
    what.resize(16, ' ');
    text += what + words + "\n";
  };
  line("winner", m.hash);
  if (const auto test = report::test_reconstruction(m)) {
    line("float", quant::to_string(*test) + " on the test part");
    if (m.quantized && m.quantized->int8_reconstruction)
      line("int8", quant::to_string(*m.quantized->int8_reconstruction) + " on the test part");
  } else {
    if (const auto accuracy = report::test_accuracy(m))
      line("float accuracy", quant::to_string(*accuracy) + " on the test part");
    if (m.quantized) line("int8 accuracy", quant::to_string(m.quantized->as_int8) + " on the test part");
  }
  line("size", core::thousands(m.design.cost.params) + " parameters, " + core::thousands(m.design.cost.macs) + " MACs");
  if (const std::string input = chosen_input(run); !input.empty()) line("input", input);
  line("flash", core::bytes_text(m.design.lowered_cost.constant_bytes) + " of constants (code not counted)");
  line("RAM", core::bytes_text(m.design.plan.peak_bytes) + " arena, input and output included (" +
                  (m.stack ? "stack on " + m.stack->machine + ": " + core::bytes_text(m.stack->bytes) + " more"
                           : "stack not counted") +
                  ")");
  if (m.proof)
    line("verified", std::string(m.proof->passed ? "yes" : "NO") + ", every output integer on " +
                         std::to_string(m.proof->samples) + " test items");
  for (const report::Warning& w : report::warnings(m)) line("warning", core::printable(w.message));
  line("files", core::printable(run.folder.string()) + "/ (" + core::join(files_of(run)) + ")");
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const RunConfig& c = run.config;
  const bool not_own = c.dataset.folder.empty() && c.card.file.parent_path().parent_path().filename() == "datasets";
  text += not_own ? "\nNext: images or sounds of your own, in folders <class>/:\n  " + program +
                        " init my_images --from /path/to/images\n"
                  : "\nNext: what the network says of other files:\n  " + program + " predict " +
                        core::printable(run.folder.string()) + " <files>\n";
  return "\n" + text;
}

}  // namespace condenser::cli
