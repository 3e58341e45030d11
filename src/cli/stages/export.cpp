// Stage `export`: the int8 network with known answers, for every target asked for.

#include "cli/run_identity.hpp"
#include "cli/stages/package.hpp"
#include "cli/stages/stages.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {

StageOutput stage_export(RunContext& run) {
  const RunConfig& c = run.config;
  const arch::Design winner = load_winner(run);
  const Int8Network network = load_int8(run, winner);
  const exporters::Package package = make_package(run, winner, network);
  const auto answers = make_known_answers(run, network, package, c.verify.known_answers);
  StageOutput out{
      "Export",
      {{{"target", "target", false}, {"folder", "folder", false}, {"files", "files"}, {"bytes", "bytes on disk"}}, {}},
      {}};
  for (const std::string& name : c.targets) {
    const exporters::Target& target = exporters::find_target(name);
    const auto problems = target.unsupported(winner);
    if (!problems.empty())
      throw core::Error("target " + name + " refuses node " + problems.front().node + ": " + problems.front().why);
    const std::filesystem::path folder = run.folder / "export" / name;
    core::create_folder(folder.parent_path());
    target.write(package, answers, c.export_options, folder);
    int64_t files = 0, bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      ++files;
      bytes += static_cast<int64_t>(entry.file_size());
    }
    out.table.rows.push_back({core::cell(name), core::cell(folder.string()), core::cell(files), core::cell(bytes)});
  }
  write_record(run.folder, ExportRecord{arch::hash(winner.spec).hex(), c.targets, settings_of(run, "export")});
  return out;
}

}  // namespace condenser::cli
