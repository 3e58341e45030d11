#include "cli/stages/stream_evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/run_identity.hpp"
#include "cli/stages/package.hpp"
#include "condenser/arch/stream.hpp"
#include "condenser/core/statistics.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/keywords.hpp"
#include "condenser/data/sound_stream.hpp"
#include "condenser/exporters/stream.hpp"
#include "condenser/quant/report.hpp"
#include "condenser/runtime/stream_executor.hpp"
#include "data/stream_detector.h"

namespace condenser::cli {
namespace {

constexpr double kSmoothingMs = 300, kPauseMs = 1000, kLateMs = 750;  // of the detector; and of what is a hit
constexpr double kShortestGapMs = 500, kLongestGapMs = 2500;
constexpr float kThresholds[] = {0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 0.9f, 0.95f};

using data::Word;

// Probabilities of every answer, and when each came.
struct Answers {
  exporters::StreamTimes times;
  std::string form;
  int64_t late = 0;  // rows behind a clip's last one that its answer waits for, as windows reach past its end
  std::vector<std::vector<float>> probabilities;

  int64_t sample(size_t answer) const {
    return (times.first + static_cast<int64_t>(answer) * times.period) * times.piece;
  }
  // The first one that has heard all up to this sample; may be none.
  size_t after(int64_t sample) const {
    const int64_t pushes = (sample + times.piece - 1) / times.piece;
    return pushes <= times.first ? 0 : static_cast<size_t>((pushes - times.first + times.period - 1) / times.period);
  }
};

exporters::ExportOptions form_of(const RunContext& run, const exporters::Package& package) {
  exporters::ExportOptions options = run.config.export_options;
  if (options.stream != "none") return options;
  options.stream = "frames";
  try {
    (void)arch::stream_of(package.spec, arch::analyze(package.spec));
  } catch (const arch::SpecError&) {
    options.stream = "window";
  }
  return options;
}

std::vector<std::vector<int8_t>> outputs_of(const exporters::Package& package, const exporters::ExportOptions& options,
                                            std::span<const int8_t> rows) {
  if (options.stream == "window")
    return runtime::answers_of_windows(package.spec, package.weights, *package.quant, rows, options.stream_hop);
  runtime::StreamExecutor stream(package.spec, package.weights, *package.quant);
  const auto row = static_cast<size_t>(stream.row_values());
  std::vector<std::vector<int8_t>> outputs;
  for (size_t at = 0; at < rows.size(); at += row)
    if (stream.push(rows.subspan(at, row))) outputs.emplace_back(stream.answer().begin(), stream.answer().end());
  return outputs;
}

Answers answers_of(const exporters::Package& package, const exporters::ExportOptions& options, const data::Task& task,
                   std::span<const int16_t> samples) {
  Answers answers{.times = exporters::stream_times(package, options), .form = options.stream};
  if (options.stream == "frames") {
    const arch::Stream stream = arch::stream_of(package.spec, arch::analyze(package.spec));
    answers.late = stream.nodes[static_cast<size_t>(package.spec.output())].delay - (package.spec.input.h - 1);
  }
  const runtime::TensorQuant& scale = package.quant->nodes.at(package.spec.node(package.spec.output()).name).output;
  for (const std::vector<int8_t>& output : outputs_of(package, options, exporters::stream_rows(package, samples))) {
    std::vector<float>& p = answers.probabilities.emplace_back();
    for (const int8_t q : output) p.push_back(static_cast<float>(scale.scale * (q - scale.zero_point)));
    data::probabilities(task, p, p);
  }
  return answers;
}

int32_t answers_in(const Answers& answers, double ms, int rate) {
  const double samples = static_cast<double>(answers.times.period * answers.times.piece);
  return static_cast<int32_t>(std::max(1L, std::lround(ms / 1000 * rate / samples)));
}

std::vector<data::Heard> hear(const Answers& answers, const std::vector<std::string>& classes, float threshold,
                              int rate) {
  std::vector<uint8_t> keyword;
  for (const std::string& name : classes) keyword.push_back(data::is_keyword(name) ? 1 : 0);
  stream_detector d{.classes = static_cast<int32_t>(classes.size()),
                    .answers = answers_in(answers, kSmoothingMs, rate),
                    .pause = answers_in(answers, kPauseMs, rate),
                    .threshold = threshold,
                    .keyword = keyword.data(),
                    .history = nullptr};
  std::vector<float> history(static_cast<size_t>(d.answers) * classes.size());
  d.history = history.data();
  stream_detector_state state;
  stream_detector_restart(&d, &state);
  std::vector<data::Heard> heard;
  for (size_t i = 0; i < answers.probabilities.size(); ++i)
    if (const int32_t c = stream_detector_hear(&d, &state, answers.probabilities[i].data()); c >= 0)
      heard.push_back({answers.sample(i), c});
  return heard;
}

// Of the clips in the stream, by the answer that has heard all of a clip; and of the same clips by themselves.
struct ClipAccuracy {
  int64_t words = 0, in_stream = 0, alone = 0;
};

ClipAccuracy accuracy_of(const Answers& answers, const data::SoundStream& stream, const Int8Network& network,
                         const data::Dataset& test) {
  ClipAccuracy accuracy;
  std::vector<int64_t> items;
  for (const Word& word : stream.words) items.push_back(word.item);
  runtime::Int8Executor executor(runtime::build_program(network.lowered, network.weights, network.quant));
  const exporters::KnownAnswers alone = known_integers(executor, test, items);
  for (size_t w = 0; w < stream.words.size(); ++w) {
    const Word& word = stream.words[w];
    const size_t i = answers.after(word.end + answers.late * answers.times.piece);
    if (i >= answers.probabilities.size()) continue;
    ++accuracy.words;
    accuracy.in_stream += data::choice(answers.probabilities[i]) == word.label;
    const std::vector<int8_t>& output = alone.outputs[w];
    accuracy.alone += std::ranges::max_element(output) - output.begin() == word.label;
  }
  return accuracy;
}

double percent(int64_t part, int64_t whole) {
  return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

void check(const RunContext& run, const data::Task& task, const exporters::Package& package) {
  if (task.reconstructs() || task.several)
    throw core::ConfigError("--stream: the outputs are no choice among classes; expected a network of keywords");
  if (!package.sound)
    throw core::ConfigError("--stream: " + core::printable(run.config.card.name) +
                            " has no sounds with a front-end; expected WAV files and export.front_end: true");
}

}  // namespace

StreamEvaluation evaluate_stream(RunContext& run, const arch::Design& winner, const data::Dataset& test,
                                 uint64_t seed) {
  const Int8Network network = load_int8(run, winner);
  const data::Task task = task_of(run.config);
  const exporters::Package package = make_package(run, winner, network, {});
  check(run, task, package);
  const exporters::ExportOptions options = form_of(run, package);
  (void)exporters::stream_times(package, options);  // refusals come before work
  const int rate = package.sound->sample_rate;
  const auto samples = [&](double ms) { return std::lround(ms / 1000 * rate); };
  const data::SoundStream stream = data::stream_of_clips(
      test, {.seed = seed, .shortest_gap = samples(kShortestGapMs), .longest_gap = samples(kLongestGapMs)});
  const Answers answers = answers_of(package, options, task, stream.samples);
  const double seconds = static_cast<double>(std::ssize(stream.samples)) / rate;

  StreamEvaluation result{{run.config.name + ", a stream of the test part's clips, int8",
                           {{{"threshold", "threshold", true},
                             {"words", "keywords", true},
                             {"hits", "hits", true},
                             {"misses_percent", "missed, %", true},
                             {"false_alarms", "false alarms", true},
                             {"false_alarms_per_hour", "an hour", true},
                             {"delay_ms", "median delay, ms", true}},
                            {}},
                           {}},
                          ""};
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const float threshold : kThresholds) {
    const data::StreamScore score =
        data::score_of(stream.words, test.classes(), hear(answers, test.classes(), threshold, rate), samples(kLateMs));
    const std::vector<double> delays(score.delays.begin(), score.delays.end());
    const double missed = percent(score.words - score.hits, score.words),
                 hourly = static_cast<double>(score.false_alarms) * 3600 / seconds,
                 delay = delays.empty() ? 0 : 1000 * core::median(delays) / rate;
    result.output.table.rows.push_back({core::cell(double{threshold}, 2), core::cell(score.words),
                                        core::cell(score.hits), core::cell(missed, 1), core::cell(score.false_alarms),
                                        core::cell(hourly, 1),
                                        delays.empty() ? core::empty_cell() : core::cell(delay, 0)});
    rows.push_back({{"threshold", std::round(100.0 * threshold) / 100},
                    {"keywords", score.words},
                    {"hits", score.hits},
                    {"misses_percent", missed},
                    {"false_alarms", score.false_alarms},
                    {"false_alarms_per_hour", hourly},
                    {"median_delay_ms", delays.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(delay)}});
  }
  const ClipAccuracy clips = accuracy_of(answers, stream, network, test);
  const double answer_ms = 1000.0 * static_cast<double>(answers.times.period * answers.times.piece) / rate;
  result.output.lines = {
      core::fixed(seconds / 60, 1) + " minutes: every clip once, seed " + std::to_string(seed) +
          ", silence of the test part below; " + (answers.form == "frames" ? "row by row" : "on windows") +
          ", an answer every " + core::number(answer_ms) + " ms",
      "heard: a keyword whose mean over " + core::number(kSmoothingMs) + " ms reaches the threshold, then none for " +
          core::number(kPauseMs) + " ms; a hit: from the begin of its clip to " + core::number(kLateMs) +
          " ms behind its end, delays count from the begin",
      "the answer at the end of each clip: " + core::fixed(percent(clips.in_stream, clips.words), 2) + " % right (" +
          std::to_string(clips.in_stream) + "/" + std::to_string(clips.words) + "); clips by themselves " +
          core::fixed(percent(clips.alone, clips.words), 2) + " % (" + std::to_string(clips.alone) + ")"};
  const nlohmann::ordered_json json{{"schema_version", 1},
                                    {"run", run.config.name},
                                    {"form", answers.form},
                                    {"seconds", seconds},
                                    {"seed", seed},
                                    {"answer_ms", answer_ms},
                                    {"clips", clips.words},
                                    {"clips_right_in_stream", clips.in_stream},
                                    {"clips_right_alone", clips.alone},
                                    {"thresholds", rows}};
  result.json = json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return result;
}

}  // namespace condenser::cli
