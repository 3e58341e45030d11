// The verb `predict`: the most likely classes of files, by the network of a trained run; where an item may have
// several, all that are likelier than not; the error of a network that makes its input again. Runs without LibTorch, so
// it answers at once.

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "cli/learned.hpp"
#include "cli/run_identity.hpp"
#include "cli/shared_options.hpp"
#include "cli/stages/stages.hpp"
#include "cli/verb.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/output.hpp"
#include "condenser/data/load_item.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "condenser/runtime/int8_executor.hpp"

namespace condenser::cli {

namespace {

struct Guess {
  size_t label;
  double probability;
};

// How logits are read.
struct Reading {
  const std::vector<std::string>& classes;
  data::Task task;
  size_t top;
};

// The answer for one file, or why there is none.
struct Answer {
  std::string file;
  std::vector<Guess> guesses;        // the most likely first
  std::vector<std::string> classes;  // where an item may have several: those likelier than not
  double reconstruction_error = 0;   // instead of all these, where the network makes its input again
  std::string error;
};

using Network = std::function<std::vector<float>(const std::vector<float>& item)>;  // [c, h, w] -> outputs

// The executor keeps references to the others.
struct FloatNetwork {
  arch::Weights weights;
  arch::Spec lowered;
  runtime::FloatExecutor executor;
  FloatNetwork(const arch::Spec& winner, arch::Weights of_winner)
      : weights(std::move(of_winner)), lowered(arch::lower(winner, &weights)), executor(lowered, weights) {}
};

// A run folder and what it has kept: all that an answer needs.
struct Trained {
  std::filesystem::path folder;
  Learned learned;
  std::string key;  // of the training; empty: none was recorded
  arch::Design network;
};

Network float_network(const Trained& run) {
  auto network =
      std::make_shared<const FloatNetwork>(run.network.spec, float_weights_in(run.folder, run.network.spec, run.key));
  return [network](const std::vector<float>& item) { return network->executor.run(item, 1); };
}

Network int8_network(const Trained& run) {
  const Int8Network n = int8_in(run.folder, run.network, run.key);
  auto executor = std::make_shared<runtime::Int8Executor>(runtime::build_program(n.lowered, n.weights, n.quant));
  return [executor](const std::vector<float>& item) {
    std::vector<int8_t> input(item.size());
    executor->quantize_input(item, input);
    const runtime::Int8Program& program = executor->program();
    const std::span<const int8_t> outputs = executor->run(input);
    std::vector<float> logits(outputs.size());
    quant::dequantize(outputs, program.output_shape(), program.output_quant(), logits);
    return logits;
  };
}

void check_fits(const arch::Design& winner, const data::Card& card, const data::Task& task) {
  const arch::Shape output = winner.cost.nodes[static_cast<size_t>(arch::sole_output(winner.spec, "predict"))].shape;
  const std::string expected = data::output_misfit(task, output);
  if (!(winner.spec.input == card.shape) || !expected.empty())
    throw core::Error("network " + winner.spec.name + " makes " + arch::to_string(output) + " of " +
                      arch::to_string(winner.spec.input) + "; data set " + card.name + " has items of " +
                      arch::to_string(card.shape) + (expected.empty() ? "" : "; expected " + expected));
}

Answer read_logits(const std::string& file, const std::vector<float>& logits, const Reading& r) {
  Answer answer{.file = file};
  data::check_outputs(logits, file);
  std::vector<float> p(logits.size());
  data::probabilities(r.task, logits, p);
  for (size_t k = 0; k < p.size(); ++k) answer.guesses.push_back({k, p[k]});
  std::stable_sort(answer.guesses.begin(), answer.guesses.end(),
                   [&](const Guess& a, const Guess& b) { return logits[a.label] > logits[b.label]; });
  if (r.task.several)
    for (const Guess& g : answer.guesses)
      if (data::decided(logits[g.label])) answer.classes.push_back(r.classes[g.label]);
  answer.guesses.resize(std::min(r.top, answer.guesses.size()));
  return answer;
}

// A file that cannot be read does not keep the others from their answers.
Answer answer(const std::string& file, const data::Card& card, const Network& network, const Reading& reading) {
  try {
    const std::vector<float> item = data::load_item(card, file), outputs = network(item);
    if (!reading.task.reconstructs()) return read_logits(file, outputs, reading);
    data::check_outputs(outputs, file);
    return {.file = file, .reconstruction_error = data::reconstruction_error(outputs, item)};
  } catch (const core::Error& e) {
    core::log::error(e.what());
    return {.file = file, .error = e.what()};
  }
}

std::string percent(double probability) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * probability);
  return text;
}

// One line a file: all its classes, and the likeliest one by one.
core::Table several_table(const std::vector<Answer>& answers, const std::vector<std::string>& classes) {
  core::Table t{{{"file", "file", false}, {"classes", "classes", false}, {"likeliest", "likeliest", false}}, {}};
  for (const Answer& a : answers) {
    if (a.guesses.empty()) continue;
    std::string found, likeliest;
    for (const std::string& name : a.classes) found += (found.empty() ? "" : ", ") + name;
    for (const Guess& g : a.guesses)
      likeliest += (likeliest.empty() ? "" : ", ") + classes[g.label] + " " + percent(g.probability);
    t.rows.push_back({core::cell(a.file), core::cell(found.empty() ? "none" : found), core::cell(likeliest)});
  }
  return t;
}

// One line a file.
core::Table error_table(const std::vector<Answer>& answers) {
  core::Table t{{{"file", "file", false}, {"reconstruction_error", "reconstruction error"}, {"error", "error", false}},
                {}};
  for (const Answer& a : answers)
    t.rows.push_back({core::cell(a.file),
                      a.error.empty() ? core::significant_cell(a.reconstruction_error, 6) : core::empty_cell(),
                      core::cell(a.error)});
  return t;
}

// One line a file.
core::Table short_table(const std::vector<Answer>& answers, const std::vector<std::string>& classes) {
  core::Table t{
      {{"file", "file", false}, {"class", "class", false}, {"probability", "probability"}, {"next", "next", false}},
      {}};
  for (const Answer& a : answers) {
    if (a.guesses.empty()) continue;
    std::string next;
    for (size_t k = 1; k < a.guesses.size(); ++k)
      next += (k > 1 ? ", " : "") + classes[a.guesses[k].label] + " " + percent(a.guesses[k].probability);
    t.rows.push_back({core::cell(a.file), core::cell(classes[a.guesses[0].label]),
                      core::cell(percent(a.guesses[0].probability)), core::cell(next)});
  }
  return t;
}

// One line a guess, or an error.
core::Table long_table(const std::vector<Answer>& answers, const std::vector<std::string>& classes) {
  core::Table t{{{"file", "file", false},
                 {"rank", "rank"},
                 {"class", "class", false},
                 {"probability", "probability"},
                 {"error", "error", false}},
                {}};
  for (const Answer& a : answers) {
    for (size_t k = 0; k < a.guesses.size(); ++k)
      t.rows.push_back({core::cell(a.file), core::cell(static_cast<int64_t>(k + 1)),
                        core::cell(classes[a.guesses[k].label]), core::cell(a.guesses[k].probability, 6),
                        core::empty_cell()});
    if (!a.error.empty())
      t.rows.push_back(
          {core::cell(a.file), core::empty_cell(), core::empty_cell(), core::empty_cell(), core::cell(a.error)});
  }
  return t;
}

std::string answers_json(const std::vector<Answer>& answers, const Reading& r) {
  auto list = nlohmann::ordered_json::array();
  for (const Answer& a : answers) {
    nlohmann::ordered_json j{{"file", a.file}, {"top", nlohmann::ordered_json::array()}, {"error", nullptr}};
    if (r.task.reconstructs()) {
      j.erase("top");
      if (a.error.empty()) j["reconstruction_error"] = a.reconstruction_error;
    }
    for (const Guess& g : a.guesses)
      j["top"].push_back({{"class", r.classes[g.label]}, {"probability", g.probability}});
    if (r.task.several && a.error.empty()) j["classes"] = a.classes;
    if (!a.error.empty()) j["error"] = a.error;
    list.push_back(std::move(j));
  }
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

struct Options {
  std::string format = "text";
  std::string run;  // run folder or run.yaml
  std::vector<std::string> files;
  int top = 3;
  bool int8 = false;
  std::filesystem::path runs = "runs";
};

void add_options(Args& args, Options& o) {
  add_format(args, o.format);
  args.option("run", o.run, "run folder, or the run.yaml of a trained run").required();
  args.option("files", o.files, "what to classify: JPEG, PNG or, for sounds, WAV files").required();
  args.option("--top", o.top, "so many classes for each file").range(1, 65536).with_default();
  args.flag("--int8", o.int8, "by the quantized network, with the integers of the device");
  add_runs_folder(args, o.runs);
}

// Neither the data nor the configuration is looked at, so a run folder answers wherever it was copied to.
Trained find_trained(const Options& o) {
  const std::filesystem::path folder = find_run(o.run, o.runs);
  if (auto learned = find_record<Learned>(folder))
    return {folder, *learned, key_of(learned->settings), winner_in(folder)};
  if (!std::filesystem::exists(folder / "weights.safetensors"))
    throw core::Error(folder.string() + ": no network was trained there; run `condenser train` first");
  core::log::warning(file_of<Learned>(folder).string() +
                     " is missing, as in runs of earlier versions: classes, shape and normalization are taken from the "
                     "data as they are now");
  const RunConfig config = read_run_config(folder.string(), {});
  return {folder, learned_of(config.card, config.train), "", load_winner(RunContext(config, folder))};
}

int predict(const Options& o) {
  const Trained run = find_trained(o);
  const data::Card card = card_of(run.learned);
  const std::vector<std::string>& classes = card.classes;
  const bool several = card.multi_label, again = run.learned.reconstructs.value_or(false);
  const data::Task task =
      again ? data::reconstruction_task(std::ssize(classes), card.shape)
            : data::Task{
                  .classes = std::ssize(classes), .independent = run.learned.independent_classes, .several = several};
  check_fits(run.network, card, task);
  const Network network = o.int8 ? int8_network(run) : float_network(run);
  const Reading reading{classes, task, static_cast<size_t>(o.top)};
  std::vector<Answer> answers;
  for (const std::string& file : o.files) answers.push_back(answer(file, card, network, reading));

  const core::Table lines = again     ? error_table(answers)
                            : several ? several_table(answers, classes)
                                      : short_table(answers, classes);
  const std::string text = o.format == "json"       ? answers_json(answers, reading)
                           : o.format == "csv"      ? core::to_csv(again ? lines : long_table(answers, classes))
                           : o.format == "markdown" ? core::to_markdown(lines)
                                                    : core::to_text(lines);
  core::write_output(text);
  const bool all = std::none_of(answers.begin(), answers.end(), [](const Answer& a) { return !a.error.empty(); });
  return static_cast<int>(all ? core::ExitCode::Ok : core::ExitCode::RunFailed);
}

}  // namespace

Verb predict_verb() {
  return {.name = "predict",
          .group = kRuns,
          .about = "the most likely classes of files, by the network of a trained run",
          .example = "predict runs/digits_quickstart my/*.png --top 3",
          .next = "--int8 answers with the integers of the device.",
          .declare = with_options<Options>(add_options, predict)};
}

}  // namespace condenser::cli
