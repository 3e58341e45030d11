// The verb `eval`: accuracy, scores per class and mistakes on the test part.

#include <cmath>

#include "cli/run_identity.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/evaluation_files.hpp"
#include "cli/stages/stages.hpp"
#include "cli/torch_module.hpp"
#include "cli/verb.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/anomaly.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {

// All figures but the accuracy, which has a line of its own.
std::string metrics_text(const data::Evaluation& e) {
  std::vector<std::string> parts;
  for (const data::Metric& metric : data::metrics()) {
    const double value = metric.value(e);
    if (metric.name == "accuracy" || std::isnan(value)) continue;
    parts.push_back(metric.title + " " + core::fixed(value, metric.unit.empty() ? 4 : 2) +
                    (metric.unit.empty() ? "" : " " + metric.unit));
  }
  return core::join(parts);
}

// The test part of the run's data set or of another one, normalized as the run's.
std::shared_ptr<const data::Dataset> test_part(RunContext& run, const fs::path& other) {
  if (other.empty()) return run.test();
  data::Card card = data::read_card(other);
  const data::Card& own = run.config.card;
  data::choose_normal(card, own.normal);
  if (card.classes != own.classes || card.shape != own.shape)
    throw core::ConfigError(card.file.string() + ": shape or classes differ from those of " + own.file.string() +
                            "; expected the same, in the same order");
  card.normalization = own.normalization;
  return data::open_split(card, "test");
}

struct Options {
  std::string format = "text";
  RunPlace run;
  fs::path card;  // of another data set; empty: the run's own
};

void add_options(Args& args, Options& o) {
  add_format(args, o.format);
  add_run_place(args, o.run, o.format);
  args.option("--card", o.card, "evaluate on the test part of another data set with the same classes");
}

int evaluate(const Options& o) {
  const RunConfig config = read_run_config(o.run.subject, o.run.overrides);
  const fs::path place = folder_of(config, o.run.subject, o.run.runs);
  if (!fs::exists(place)) throw core::Error(place.string() + ": no such run folder; run `condenser train` first");
  const RunFolder folder(place, false);
  RunContext run(config, folder.path());
  plan(run, {"eval"});
  const arch::Design design = load_winner(run);
  const arch::Spec& winner = design.spec;
  const auto test = test_part(run, o.card);
  const train::Evaluation e =
      torch_backend().evaluate(winner, load_float_weights(run, winner), *test, task_of(config), config.train.threads);
  const EvaluatedPart part{config.name, "test part", arch::hash(winner).hex(), e, *test, layout_of(config.card)};
  const fs::path files = run.folder / (o.card.empty() ? "eval" : "eval_" + data::read_card(o.card).name);
  write_evaluation(files, part);
  if (o.format == "json") {
    core::write_output(evaluation_json(part));
    return 0;
  }
  if (const auto again = quant::reconstruction_of(e)) {
    StageOutput out{config.name + ", test part, float", reconstruction_table("test part", *again), {}};
    out.lines.push_back("files in " + files.string() + "/: evaluation.json, errors.csv");
    out.lines.push_back("test part: " + quant::to_string(*again));
    print(out, o.format);
    return 0;
  }
  if (!has_confusion(part)) {
    StageOutput out{config.name + ", test part, float", accuracy_table("test part", quant::accuracy_of(e)), {}};
    out.lines.push_back("of all decisions: " + metrics_text(e));
    print(out, o.format);
    return 0;
  }
  StageOutput out{config.name + ", test part, float", report::per_class_table(confusion_of(part)), {}};
  for (const std::string& mistake : report::worst_mistakes(confusion_of(part), 5)) out.lines.push_back(mistake);
  out.lines.push_back("files in " + files.string() + "/: confusion.svg, per_class.csv, predictions.csv" +
                      (e.correct < e.total ? ", mistakes.png" : ""));
  out.lines.push_back(metrics_text(e));
  out.lines.push_back("test part: " + quant::to_string(quant::accuracy_of(e)));
  print(out, o.format);
  return 0;
}

}  // namespace

Verb eval_verb() {
  return {.name = "eval",
          .group = kRuns,
          .about = "accuracy, scores per class and mistakes on the test part",
          .example = "eval runs/digits_quickstart",
          .next = "The pictures lie in runs/<name>/eval/.",
          .declare = with_options<Options>(add_options, evaluate)};
}

}  // namespace condenser::cli
