// Stage `export`: the int8 network with known answers, for every target asked for.

#include <cmath>

#include "cli/known_answers.hpp"
#include "cli/run_identity.hpp"
#include "cli/stages.hpp"

namespace condenser::cli {

namespace {

// How firmware turns pixels, or features of sound, into input integers, in words.
std::string input_note(const data::Card& card, const runtime::TensorQuant& input) {
  const bool pixels = card.format != "wav_folder" && card.format != "features_int8";
  std::string text = std::string("order: height, width, channel (interleaved). q = round(((") +
                     (pixels ? "pixel / 255" : "feature") +
                     " - mean) / std) / scale) + zero_point, clamped to -128..127; mean = [";
  const auto list = [](const std::vector<double>& values) {
    std::string s;
    for (const double v : values) {
      char number[32];
      std::snprintf(number, sizeof number, "%s%g", s.empty() ? "" : ", ", v);
      s += number;
    }
    return s;
  };
  text += list(card.normalization.mean) + "], std = [" + list(card.normalization.std) + "]";
  bool plain = pixels;  // does q = pixel - 128 hold for every pixel of every channel?
  for (size_t ch = 0; ch < card.normalization.mean.size() && plain; ++ch)
    for (int pixel = 0; pixel < 256 && plain; ++pixel) {
      const double x = (pixel / 255.0 - card.normalization.mean[ch]) / card.normalization.std[ch];
      plain = std::lround(x / input.scale) + input.zero_point == pixel - 128;
    }
  if (plain) text += "; for 8-bit pixels this is exactly q = pixel - 128";
  return text;
}

}  // namespace

StageOutput stage_export(RunContext& run) {
  const RunConfig& c = run.config;
  const arch::Spec winner = load_winner(run);
  const Int8Network network = load_int8(run, winner);
  const exporters::Package package{
      network.lowered,       network.weights,
      network.quant,         arch::hash(winner).hex(),
      run.test()->classes(), input_note(c.card, network.quant.nodes.at(network.lowered.nodes[0].name).output)};
  const auto answers = make_known_answers(network, *run.test(), c.verify.known_answers);
  StageOutput out{
      "Export",
      {{{"target", "target", false}, {"folder", "folder", false}, {"files", "files"}, {"bytes", "bytes on disk"}}, {}},
      {}};
  for (const std::string& name : c.targets) {
    const exporters::Target& target = exporters::find_target(name);
    const auto problems = target.unsupported(network.lowered);
    if (!problems.empty())
      throw core::Error("target " + name + " refuses node " + problems.front().node + ": " + problems.front().why);
    const std::filesystem::path folder = run.folder / "export" / name;
    core::create_folder(folder.parent_path());
    target.write(package, answers, c.export_options, folder);
    int64_t files = 0, bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.is_regular_file()) ++files, bytes += static_cast<int64_t>(entry.file_size());
    out.table.rows.push_back({core::cell(name), core::cell(folder.string()), core::cell(files), core::cell(bytes)});
  }
  write_record(run.folder, ExportRecord{arch::hash(winner).hex(), c.targets, settings_of(run, "export")});
  return out;
}

}  // namespace condenser::cli
