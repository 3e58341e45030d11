// Stage `export`: the int8 network with known answers, for every target asked for.

#include <algorithm>
#include <optional>

#include "cli/run_identity.hpp"
#include "cli/stages/package.hpp"
#include "cli/stages/stages.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

std::string refusal(const exporters::Target& target, const arch::Design& winner) {
  const auto problems = target.unsupported(winner);
  if (problems.empty()) return "";
  return "target " + target.name + " refuses node " + problems.front().node + ": " + problems.front().why;
}

// Those of --target, else of the run file. Of `all` those that hold the network; the others are said.
std::vector<std::string> targets_of(const RunConfig& c, const arch::Design& winner, std::vector<std::string>& lines) {
  const bool all = std::ranges::find(c.export_to, kAllTargets) != c.export_to.end();
  std::vector<std::string> names = c.export_to.empty() ? c.targets : c.export_to;
  if (all) {
    names.clear();
    for (const exporters::Target& target : exporters::targets()) {
      const std::string why = refusal(target, winner);
      if (why.empty())
        names.push_back(target.name);
      else
        lines.push_back(why);
    }
  }
  for (const std::string& name : names) {
    const std::string why = refusal(exporters::find_target(name), winner);
    if (!why.empty()) throw core::Error(why);
  }
  const exporters::UnusedOption unused = exporters::unused_option(c.export_options, names);
  if (!unused.key.empty())
    throw core::ConfigError("export." + unused.key + " is not read by " + core::join(names) + "; " + unused.readers +
                            " reads it: leave it out, or export that as well");
  return names;
}

// What earlier calls wrote of the same network with the same options still stands.
std::vector<std::string> with_earlier(const RunContext& run, const ExportRecord& now) {
  std::vector<std::string> names = now.targets;
  std::optional<ExportRecord> before;
  try {
    before = find_record<ExportRecord>(run.folder);
  } catch (const core::Error&) {
    // damaged: it is written anew
  }
  if (!before || before->spec_hash != now.spec_hash || before->settings != now.settings) return names;
  for (const std::string& name : before->targets) {
    if (std::ranges::find(names, name) == names.end() && std::filesystem::exists(run.folder / "export" / name))
      names.push_back(name);
  }
  return names;
}

}  // namespace

StageOutput stage_export(RunContext& run) {
  const RunConfig& c = run.config;
  const arch::Design winner = load_winner(run);
  StageOutput out{
      "Export",
      {{{"target", "target", false}, {"folder", "folder", false}, {"files", "files"}, {"bytes", "bytes on disk"}}, {}},
      {}};
  ExportRecord record{arch::hash(winner.spec).hex(), targets_of(c, winner, out.lines), settings_of(run, "export")};
  const Int8Network network = load_int8(run, winner);
  const exporters::Package package = make_package(run, winner, network, record.targets);
  const auto answers = make_known_answers(run, network, package, c.verify.known_answers);
  for (const std::string& name : record.targets) {
    const std::filesystem::path folder = run.folder / "export" / name;
    core::create_folder(folder.parent_path());
    const exporters::Target& target = exporters::find_target(name);
    target.write(package, answers, c.export_options, folder);
    if (const std::string remark = target.remark ? target.remark(package) : ""; !remark.empty())
      out.lines.push_back(remark);
    int64_t files = 0, bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      ++files;
      bytes += static_cast<int64_t>(entry.file_size());
    }
    out.table.rows.push_back({core::cell(name), core::cell(folder.string()), core::cell(files), core::cell(bytes)});
  }
  record.targets = with_earlier(run, record);
  write_record(run.folder, record);
  return out;
}

}  // namespace condenser::cli
