// `condenser import`: a network of another program as a folder that the other verbs take.

#include <nlohmann/json.hpp>

#include "cli/print.hpp"
#include "cli/records/records.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verb.hpp"
#include "condenser/arch/design.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/text.hpp"
#include "condenser/importers/importer.hpp"

namespace condenser::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path file;
  std::string format = "text";
  fs::path out;  // empty: the file's name without its extension, here
  bool replace = false;
};

void add_options(Args& args, Options& o) {
  std::vector<std::string> extensions;
  for (const importers::Importer& importer : importers::importers()) extensions.push_back(importer.extension);
  args.option("file", o.file, "network of another program (" + core::join(extensions) + ")").required();
  add_format(args, o.format);
  args.option("-o,--out", o.out, "folder to write; the file's name without its extension when absent");
  args.flag("--replace", o.replace, "write into a folder that holds an imported network already");
}

// What runs have left must not be mixed with another network.
void check_folder(const fs::path& folder, bool replace) {
  if (!fs::exists(folder) || (fs::is_directory(folder) && fs::is_empty(folder))) return;
  const bool imported = fs::exists(file_of<ImportRecord>(folder)) && !fs::exists(folder / "config.resolved.yaml");
  if (imported && replace) return;
  throw core::ConfigError(core::printable(folder.string()) +
                          (imported ? ": holds an imported network; expected --replace, or another folder in --out"
                                    : ": exists and holds no imported network; expected another folder in --out"));
}

void write_int8(const fs::path& folder, importers::Int8Form form, const arch::Design& design,
                const std::string& spec_hash) {
  form.weights.metadata["spec_hash"] = spec_hash;
  form.weights.metadata["lowered_hash"] = arch::hash(design.lowered).hex();
  form.quant.weights_checksum = arch::save_weights(folder / "weights_int8.safetensors", form.weights);
  core::write_atomic(folder / "quant.json", runtime::to_json(form.quant));
}

StageOutput outcome(const ImportRecord& record, const arch::Design& design, const fs::path& folder) {
  StageOutput out{"Imported " + core::printable(record.file) + " (" + record.form + ", input " +
                      arch::to_string(design.spec.input) + ")",
                  {{{"folder", "folder", false},
                    {"nodes", "nodes"},
                    {"params", "parameters"},
                    {"macs", "MACs"},
                    {"constant_bytes", "int8 flash, bytes"},
                    {"arena_bytes", "int8 RAM, bytes"}},
                   {}},
                  {}};
  out.table.rows.push_back({core::cell(core::printable(folder.string())),
                            core::cell(static_cast<int64_t>(design.spec.nodes.size())), core::cell(design.cost.params),
                            core::cell(design.cost.macs), core::cell(design.lowered_cost.constant_bytes),
                            core::cell(design.plan.peak_bytes)});
  if (record.input_axes != "nchw" && record.input_axes != "nc")
    out.lines.push_back("the file's input is " + record.input_axes + "; here it is chw");
  for (const std::string& note : record.notes) out.lines.push_back(note);
  return out;
}

int import_network(const Options& o) {
  const fs::path folder = o.out.empty() ? o.file.stem() : o.out;
  check_folder(folder, o.replace);
  importers::Imported imported = importers::import_file(o.file);
  const arch::Design design = arch::design_of(imported.spec);
  const std::string hash = arch::hash(imported.spec).hex();
  core::create_folder(folder);
  for (const char* name : {"weights_int8.safetensors", "quant.json"}) fs::remove(folder / name);  // of one before
  arch::write_spec(folder / "winner.arch.json", imported.spec);
  imported.weights.metadata["spec_hash"] = hash;
  arch::save_weights(folder / "weights.safetensors", imported.weights);
  const ImportRecord record{.file = o.file.filename().string(),
                            .sha256 = core::sha256_file(o.file),
                            .form = imported.int8 ? "int8" : "float",
                            .spec_hash = hash,
                            .input_name = imported.input_name,
                            .input_axes = imported.input_axes,
                            .notes = imported.notes};
  if (imported.int8) write_int8(folder, *std::move(imported.int8), design, hash);
  write_record(folder, record);
  print(outcome(record, design, folder), o.format);
  return 0;
}

}  // namespace

Verb import_verb() {
  return {.name = "import",
          .group = kNetworks,
          .about = "a network of another program (ONNX, TensorFlow Lite) as a folder for the other verbs",
          .example = "import model.onnx -o nets/model",
          .next =
              "Look at it: condenser describe nets/model. In a run file: spec: nets/model/winner.arch.json, and "
              "train.init: nets/model to go on from its weights (train.epochs: 0: as they are).",
          .declare = with_options<Options>(add_options, import_network)};
}

}  // namespace condenser::cli
