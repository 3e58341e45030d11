// `condenser compare`: networks side by side: what they cost, what was published, how fast they run here.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "cli/hardware.hpp"
#include "cli/networks.hpp"
#include "cli/progress.hpp"
#include "cli/records/records.hpp"
#include "cli/shared_options.hpp"
#include "cli/torch_module.hpp"
#include "cli/verb.hpp"
#include "cli/version.hpp"
#include "condenser/arch/design.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/team.hpp"
#include "condenser/core/text.hpp"
#include "condenser/quant/report.hpp"
#include "condenser/report/comparison.hpp"

namespace condenser::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string format = "text";
  std::vector<std::string> networks;
  ZooShape shape;
  std::vector<int> batch{1}, threads;  // threads empty: 1 and all cores
  double seconds = 1.0;                // of measuring, per network, batch and number of threads; 0: counts only
  fs::path out;                        // folder; empty: standard output only
};

void add_options(Args& args, Options& o) {
  add_format(args, o.format);
  args.option("networks", o.networks, kAboutNetwork).required();
  add_zoo_shape(args, o.shape);
  args.option("--batch", o.batch, "batch sizes, e.g. 1,32").in_one_word().range(1, 4096);
  args.option("--threads", o.threads, "numbers of threads, e.g. 1,2").in_one_word().range(1, 1024);
  args.option("--seconds", o.seconds, "of measuring per network and setting; 0: counts only")
      .range(0.0, 3600.0)
      .with_default();
  args.option("-o,--out", o.out, "folder for compare.md, compare.csv and compare.json of the same measurement");
}

// A network to compare; without a spec: published numbers only.
struct Entry {
  report::ComparedNetwork row;
  std::optional<arch::Spec> spec;
};

void count(Entry& entry) {
  const arch::Design d = arch::design_of(*entry.spec);
  entry.row.input = arch::to_string(entry.spec->input);
  entry.row.outputs = d.output().elements();
  entry.row.params = d.cost.params;
  entry.row.macs = d.cost.macs;
  entry.row.constant_bytes = d.lowered_cost.constant_bytes;
  entry.row.arena_bytes = d.plan.peak_bytes;
}

// With what was asked for; with less of it where the network cannot have that, and a note saying so.
void make_from_card(Entry& entry, const arch::ZooCard& card, const ZooShape& asked) {
  const arch::Shape input = asked.input.empty() ? card.input : parse_shape(asked.input);
  const int classes = asked.classes > 0 ? asked.classes : card.classes;
  const auto made = [&](const arch::Shape& its_input, int its_classes) {
    if (its_input.c != card.input.c) return false;  // made for other data: sound, features
    try {
      entry.spec = card.make(its_input, its_classes);
      count(entry);
      return true;
    } catch (const core::Error&) {
      return false;
    }
  };
  if (made(input, classes)) return;
  entry.row.note = "does not take what was asked for; its own input " + arch::to_string(card.input);
  if (made(card.input, classes)) return;
  entry.row.note += " and " + std::to_string(card.classes) + " outputs";
  entry.spec = card.make(card.input, card.classes);
  count(entry);
}

Entry from_card(const arch::ZooCard& card, const ZooShape& asked) {
  Entry entry;
  entry.row.name = card.name;
  entry.row.family = card.family;
  entry.row.claims = card.claims;
  make_from_card(entry, card, asked);
  // Published accuracy belongs to the published network, not to one for other images or another number of classes.
  if (entry.spec->input != card.input || entry.row.outputs != card.classes) return entry;
  entry.row.accuracy_percent = card.accuracy_percent;
  entry.row.int8_accuracy_percent = card.int8_accuracy_percent;
  return entry;
}

std::optional<int64_t> from_millions(std::optional<double> value) {
  return value ? std::optional<int64_t>(std::llround(*value * 1e6)) : std::nullopt;
}

Entry from_published(const arch::PublishedRow& row) {
  Entry entry;
  entry.row.name = row.name;
  entry.row.input = row.input ? arch::to_string(*row.input) : "";
  entry.row.params = from_millions(row.params_millions);
  entry.row.macs = from_millions(row.macs_millions);
  entry.row.accuracy_percent = row.accuracy_percent;
  entry.row.int8_accuracy_percent = row.int8_accuracy_percent;
  entry.row.claims = row.claims;
  entry.row.note = "published numbers only";
  const auto kilobytes = [](double value) { return core::cell(value, 0).text + " kB "; };
  if (row.sram_kb) entry.row.note += ", " + kilobytes(*row.sram_kb) + "SRAM";
  if (row.flash_kb) entry.row.note += ", " + kilobytes(*row.flash_kb) + "flash";
  entry.row.note += " (" + row.source + ")";
  return entry;
}

// A run stands under its own name, with its accuracies on the test part of its data; those of another network that was
// there before do not count.
void add_results(Entry& entry, const fs::path& folder) {
  const std::string hash = arch::hash(*entry.spec).hex();
  entry.row.name = fs::absolute(folder).lexically_normal().filename().string();
  if (entry.row.name.empty()) entry.row.name = fs::absolute(folder).parent_path().filename().string();
  entry.row.family = entry.spec->name;
  std::string data;
  if (const auto learned = find_record<Learned>(folder)) data = " of " + learned->data;
  const auto quantized = find_record<QuantRecord>(folder);
  if (quantized && quantized->spec_hash == hash && !quantized->reconstruction_float) {
    entry.row.accuracy_percent = quantized->test_float.accuracy_percent;
    entry.row.int8_accuracy_percent = quantized->test_int8.accuracy_percent;
  }
  const auto evaluated = find_record<EvaluationRecord>(folder / "eval");
  if (evaluated && evaluated->spec_hash == hash && !evaluated->reconstruction)
    entry.row.accuracy_percent = evaluated->accuracy_percent;
  if (entry.row.accuracy_percent)
    entry.row.note = "a run here; its accuracy is on the test part" + core::printable(data);
  else if (const auto trained = find_record<TrainRecord>(folder); trained && trained->validation_total > 0)
    entry.row.note = "a run here; on the validation part" + core::printable(data) + " " +
                     quant::to_string(quant::Accuracy{trained->validation_correct, trained->validation_total}) +
                     "; `condenser eval` adds the test part";
}

Entry from_file(const std::string& subject, const ZooShape& asked) {
  Entry entry;
  entry.spec = find_network(subject, {});
  entry.row.name = entry.spec->name;
  count(entry);
  if (fs::is_directory(subject)) add_results(entry, subject);
  if ((!asked.input.empty() && entry.row.input != asked.input) ||
      (asked.classes > 0 && entry.row.outputs != asked.classes))
    entry.row.note = "its file says its input " + entry.row.input + " and its outputs";
  return entry;
}

// Names are written with '-' as often as with '_'.
std::string underscored(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

Entry find_entry(const std::string& subject, const ZooShape& asked) {
  const std::string extension = fs::path(subject).extension().string();
  if (fs::exists(subject) || extension == ".yaml" || extension == ".yml" || extension == ".json")
    return from_file(subject, asked);
  std::vector<std::string> names;
  for (const arch::ZooCard& card : arch::zoo()) {
    if (card.name == underscored(subject)) return from_card(card, asked);
    names.push_back(card.name);
  }
  for (const arch::PublishedRow& row : arch::published_rows()) {
    if (row.name == underscored(subject)) return from_published(row);
    names.push_back(row.name);
  }
  const std::string near = core::config::nearest(subject, names);
  throw core::ConfigError(
      "network '" + subject + "' is unknown" + (near.empty() ? std::string() : "; did you mean " + near + "?") +
      " Expected a spec file, a run folder, or a name of `condenser zoo` or `condenser zoo --published`");
}

std::vector<int> without_repeats(std::vector<int> values) {
  std::vector<int> kept;
  for (const int v : values)
    if (std::find(kept.begin(), kept.end(), v) == kept.end()) kept.push_back(v);
  return kept;
}

std::vector<int> threads_of(const Options& o) {
  return without_repeats(o.threads.empty() ? std::vector<int>{1, core::all_cores()} : o.threads);
}

void measure(std::vector<Entry>& entries, const Options& o, train::Backend& backend) {
  train::SpeedRequest request;
  std::vector<Entry*> measured;  // parallel to request.networks
  for (Entry& entry : entries)
    if (entry.spec) {
      request.networks.push_back(&*entry.spec);
      measured.push_back(&entry);
    }
  if (measured.empty()) return;
  request.batches = without_repeats(o.batch);
  request.threads = threads_of(o);
  request.seconds = o.seconds;
  ProgressLine progress;
  request.on_progress = [&](double fraction, const std::string& doing) {
    progress.update({"compare", fraction, {doing}});
  };
  for (const train::SpeedSample& s : backend.measure_inference(request))
    measured[s.network]->row.speeds.push_back({s.device, s.batch, s.threads, s.layout, core::quartiles(s.images_per_s),
                                               static_cast<int>(s.images_per_s.size())});
}

// Null, with the reason, when nothing is to be measured or nothing can.
train::Backend* backend_for(const Options& o, std::string& remedy) {
  if (o.seconds <= 0) {
    remedy = "counts only were asked for (--seconds 0)";
    return nullptr;
  }
  try {
    return &torch_backend();
  } catch (const core::Error& e) {
    remedy = e.what();
    return nullptr;
  }
}

report::Comparison compare(const Options& o) {
  std::vector<Entry> entries;
  for (const std::string& subject : o.networks) entries.push_back(find_entry(subject, o.shape));
  report::Comparison result;
  result.seconds = o.seconds;
  result.hardware = {.cpu = cpu_model(),
                     .hardware_threads = core::all_cores(),
                     .load = load_average(),
                     .compiler = compiler(),
                     .libtorch = "",
                     .omp_wait_policy = ""};
  if (train::Backend* backend = backend_for(o, result.remedy)) {
    result.hardware.libtorch = backend->version();
    const char* policy = std::getenv("OMP_WAIT_POLICY");
    result.hardware.omp_wait_policy = policy ? policy : "";
    measure(entries, o, *backend);
  }
  for (Entry& entry : entries) result.networks.push_back(std::move(entry.row));
  return result;
}

int print_comparison(const Options& o) {
  if (!o.shape.input.empty()) parse_shape(o.shape.input);  // refuse it even where no network asks for it
  const report::Comparison comparison = compare(o);
  core::write_output(report::comparison_page(comparison, o.format));
  if (o.out.empty()) return 0;
  constexpr std::pair<const char*, const char*> kFiles[] = {
      {"compare.md", "markdown"}, {"compare.csv", "csv"}, {"compare.json", "json"}};
  for (const auto& [name, format] : kFiles)
    core::write_atomic(o.out / name, report::comparison_page(comparison, format));
  return 0;
}

}  // namespace

Verb compare_verb() {
  return {.name = "compare",
          .group = kNetworks,
          .about = "networks side by side: size, work, memory, accuracy, measured speed",
          .example = "compare dcac_sca_325mf mobilenet_v2 --classes 10 --seconds 0",
          .next = "Without --seconds 0 the speed on this machine is measured too.",
          .declare = with_options<Options>(add_options, print_comparison)};
}

}  // namespace condenser::cli
