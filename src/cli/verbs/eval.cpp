// The verb `eval`: accuracy, scores per class and mistakes on the test part.

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "cli/print.hpp"
#include "cli/run_identity.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/evaluation_files.hpp"
#include "cli/stages/stages.hpp"
#include "cli/stages/stream_evaluation.hpp"
#include "cli/torch_module.hpp"
#include "cli/verb.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/statistics.hpp"
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
  fs::path card;        // of another data set; empty: the run's own
  bool int8 = false;    // the integers of the device instead of floats
  std::string against;  // another run; empty: none
  int shift = 0;        // pixels; 0: pictures as they are
  bool stream = false;  // keywords on a stream of the test part's clips
  int seed = 1;         // of that
};

void add_options(Args& args, Options& o) {
  add_format(args, o.format);
  add_run_place(args, o.run, o.format);
  args.option("--card", o.card, "evaluate on the test part of another data set with the same classes");
  args.flag("--int8", o.int8, "the quantized network, with the integers of the device");
  args.flag("--stream", o.stream,
            "of keywords, int8: misses and false alarms by threshold, on a stream of all clips with noise between");
  args.option("--stream-seed", o.seed, "of --stream: order of the clips, gaps and noise")
      .range(0, 1'000'000'000)
      .with_default();
  args.option("--against", o.against,
              "another run (folder or file): which network is better on the same items, and is it chance");
  args.option("--shift", o.shift,
              "of pictures: how many answers stay when they move by so many pixels to each of eight sides")
      .range(1, 64);
}

// A run, opened, and what its network says about the test part.
struct Evaluated {
  RunConfig config;
  RunFolder folder;
  RunContext run;
  std::string hash;
  std::shared_ptr<const data::Dataset> test;
  data::Evaluation evaluation;

  Evaluated(const std::string& subject, const std::vector<std::string>& overrides, const Options& o)
      : config(read_run_config(subject, overrides)),
        folder(existing(folder_of(config, subject, o.run.runs)), false),
        run(config, folder.path()) {
    plan(run, {"eval"});
    const arch::Design design = load_winner(run);
    hash = arch::hash(design.spec).hex();
    test = test_part(run, o.card);
    if (o.int8) {
      answers_ = [this, network = load_int8(run, design)](const data::Dataset& items) {
        return quant::evaluate_int8(network.lowered, network.weights, network.quant, items, task_of(config));
      };
    } else {
      answers_ = [this, spec = design.spec,
                  weights = load_float_weights(run, design.spec)](const data::Dataset& items) {
        return torch_backend().evaluate(spec, weights, items, task_of(config), config.train.threads);
      };
    }
    evaluation = answers_(*test);
  }
  Evaluated(const Evaluated&) = delete;

  // What it says about other items of the same kind.
  data::Evaluation on(const data::Dataset& items) const { return answers_(items); }

  static fs::path existing(const fs::path& place) {
    if (!fs::exists(place)) throw core::Error(place.string() + ": no such run folder; run `condenser train` first");
    return place;
  }

 private:
  std::function<data::Evaluation(const data::Dataset&)> answers_;
};

// Of every item: is it right?
core::Paired paired(const Evaluated& a, const Evaluated& b) {
  const auto& first = a.evaluation.predictions;
  const auto& second = b.evaluation.predictions;
  if (a.evaluation.confusion.empty() || b.evaluation.confusion.empty())
    throw core::ConfigError("--against: " + core::printable(a.config.name) + " or " + core::printable(b.config.name) +
                            " does not choose one class for each item; expected networks that do");
  core::Paired p;
  bool same = a.test->size() == b.test->size() && a.test->classes() == b.test->classes();
  for (int64_t i = 0; same && i < a.test->size(); ++i) {
    const auto k = static_cast<size_t>(i);
    same = a.test->label(i) == b.test->label(i) && a.test->name(i) == b.test->name(i);
    p.add(first[k].predicted == a.test->label(i), second[k].predicted == b.test->label(i));
  }
  if (!same)
    throw core::ConfigError("--against: the test parts of " + core::printable(a.config.name) + " and " +
                            core::printable(b.config.name) + " hold other items; expected the same, in the same order");
  return p;
}

int compare(const Options& o, const Evaluated& first, const std::string& form) {
  const Evaluated second(o.against, {}, o);
  const core::Paired p = paired(first, second);
  const core::Difference d = core::difference_95(p);
  const double chance = core::mcnemar(p);
  const auto accuracy = [](const Evaluated& e) { return quant::accuracy_of(e.evaluation); };
  const nlohmann::ordered_json json{
      {"schema_version", 1},
      {"form", o.int8 ? "int8" : "float"},
      {"items", p.total()},
      {"first", {{"run", first.config.name}, {"accuracy_percent", accuracy(first).percent()}}},
      {"second", {{"run", second.config.name}, {"accuracy_percent", accuracy(second).percent()}}},
      {"both_right", p.both},
      {"only_first_right", p.only_first},
      {"only_second_right", p.only_second},
      {"neither_right", p.neither},
      {"difference_points", d.points},
      {"low_points", d.low},
      {"high_points", d.high},
      {"mcnemar_p", chance}};
  StageOutput out{first.config.name + " against " + second.config.name + ", test part, " + form,
                  {{{"right", "right about", false}, {"items", "items"}}, {}},
                  {}};
  const std::pair<std::string, int64_t> rows[] = {{"both", p.both},
                                                  {"only " + first.config.name, p.only_first},
                                                  {"only " + second.config.name, p.only_second},
                                                  {"neither", p.neither}};
  for (const auto& [name, items] : rows)
    out.table.rows.push_back({core::cell(core::printable(name)), core::cell(items)});
  for (const Evaluated* e : {&first, &second})
    out.lines.push_back(core::printable(e->config.name) + ": " + quant::to_string(accuracy(*e)));
  out.lines.push_back("difference " + core::fixed(d.points, 2) + " points (95 % interval " + core::fixed(d.low, 2) +
                      ".." + core::fixed(d.high, 2) + "); McNemar's exact test: p = " + core::significant(chance, 3) +
                      (chance < 0.05 ? "" : ", not significant at 5 %"));
  print_either(json, out, o.format);
  return 0;
}

// Moves by `pixels` to each of the eight sides: how many answers are those of the pictures as they are (the consistency
// of Zhang 2019, arXiv 1904.11486), and how many are right.
int compare_shifts(const Options& o, const Evaluated& made, const std::string& form) {
  if (made.evaluation.confusion.empty() || is_audio(made.config.card))
    throw core::ConfigError("--shift: " + core::printable(made.config.name) +
                            " does not choose one class for each picture; expected a run that does");
  StageOutput out{made.config.name + ", test part moved by " + std::to_string(o.shift) + " pixels, " + form,
                  {{{"right", "right"}, {"down", "down"}, {"same", "same answer"}, {"accuracy", "accuracy %"}}, {}},
                  {}};
  nlohmann::ordered_json json{{"schema_version", 1}, {"run", made.config.name}, {"form", form}, {"pixels", o.shift}};
  quant::Accuracy all;
  for (const int down : {-o.shift, 0, o.shift}) {
    for (const int right : {-o.shift, 0, o.shift}) {
      if (down == 0 && right == 0) continue;
      const data::Evaluation moved = made.on(*data::shifted(made.test, right, down));
      int64_t same = 0;
      for (size_t i = 0; i < moved.predictions.size(); ++i)
        same += moved.predictions[i].predicted == made.evaluation.predictions[i].predicted;
      all.correct += same;
      all.total += made.test->size();
      const double percent = quant::accuracy_of(moved).percent();
      out.table.rows.push_back({core::cell(right), core::cell(down), core::cell(same), core::cell(percent, 2)});
      json["shifts"].push_back({{"right", right}, {"down", down}, {"same", same}, {"accuracy_percent", percent}});
    }
  }
  json["items"] = made.test->size();
  json["consistency_percent"] = all.percent();
  out.lines.push_back("as they are: " + quant::to_string(quant::accuracy_of(made.evaluation)));
  out.lines.push_back("answers that stay: " + core::fixed(all.percent(), 2) + " %");
  print_either(json, out, o.format);
  return 0;
}

int on_stream(const Options& o) {
  if (!o.against.empty() || o.int8 || o.shift > 0)
    throw core::ConfigError(
        "--stream with --against, --int8 or --shift; expected --stream alone, which is of the int8 network");
  const RunConfig config = read_run_config(o.run.subject, o.run.overrides);
  const RunFolder folder(Evaluated::existing(folder_of(config, o.run.subject, o.run.runs)), false);
  RunContext run(config, folder.path());
  plan(run, {"eval"});
  const StreamEvaluation made =
      evaluate_stream(run, load_winner(run), *test_part(run, o.card), static_cast<uint64_t>(o.seed));
  if (o.format == "json")
    core::write_output(made.json);
  else
    print(made.output, o.format);
  return 0;
}

int evaluate(const Options& o) {
  if (o.stream) return on_stream(o);
  if (!o.against.empty() && o.shift > 0)
    throw core::ConfigError("--against with --shift; expected one of them: each is a comparison of its own");
  const Evaluated made(o.run.subject, o.run.overrides, o);
  const RunConfig& config = made.config;
  const data::Evaluation& e = made.evaluation;
  const std::string form = o.int8 ? "int8" : "float";
  if (!o.against.empty()) return compare(o, made, form);
  if (o.shift > 0) return compare_shifts(o, made, form);
  const EvaluatedPart part{config.name,           o.int8 ? "test part, int8" : "test part", made.hash, e, *made.test,
                           layout_of(config.card)};
  const fs::path files = made.run.folder / ("eval" + std::string(o.int8 ? "_int8" : "") +
                                            (o.card.empty() ? "" : "_" + data::read_card(o.card).name));
  write_evaluation(files, part);
  if (o.format == "json") {
    core::write_output(evaluation_json(part));
    return 0;
  }
  const std::string title = config.name + ", test part, " + form;
  if (const auto again = quant::reconstruction_of(e)) {
    StageOutput out{title, reconstruction_table("test part", *again), {}};
    out.lines.push_back("files in " + files.string() + "/: evaluation.json, errors.csv");
    out.lines.push_back("test part: " + quant::to_string(*again));
    print(out, o.format);
    return 0;
  }
  if (!has_confusion(part)) {
    StageOutput out{title, accuracy_table("test part", quant::accuracy_of(e)), {}};
    out.lines.push_back("of all decisions: " + metrics_text(e));
    print(out, o.format);
    return 0;
  }
  StageOutput out{title, report::per_class_table(confusion_of(part)), {}};
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
