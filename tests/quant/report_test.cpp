// Accuracy, intervals and node reports, each against a second computation.
#include "condenser/quant/report.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/builder.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/quant/int16_trials.hpp"
#include "condenser/quant/quantize.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "support/catch.hpp"
#include "train/marked_dataset.hpp"

using namespace condenser;

namespace {

// Gratings: class k has a direction of its own, with random phase, contrast and noise.
std::shared_ptr<const data::Dataset> gratings(int n, uint64_t seed) {
  constexpr int kClasses = 4, kSide = 12;
  core::Rng rng(seed);
  std::vector<uint8_t> pixels;
  std::vector<int> labels;
  for (int i = 0; i < n; ++i) {
    const int k = i % kClasses;
    const double angle = 3.141592653589793 * k / kClasses, phase = rng.uniform(0, 6.3), contrast = rng.uniform(70, 120);
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const double wave = std::sin(1.4 * (x * std::cos(angle) + y * std::sin(angle)) + phase);
        pixels.push_back(static_cast<uint8_t>(std::clamp(127 + contrast * wave + 25 * rng.normal(), 0.0, 255.0)));
      }
    }
    labels.push_back(k);
  }
  return data::make_image_dataset({1, kSide, kSide}, {"0", "45", "90", "135"}, {{0.5}, {0.25}}, std::move(pixels),
                                  std::move(labels));
}

arch::Spec classifier() {
  arch::Builder b("gratings", {1, 12, 12});
  int x = b.add("c1", arch::Conv2d{16, {5, 5}, {1, 1}, {}, 1, true, arch::Clamp::Relu}, {b.input()});
  x = b.add("c2", arch::Conv2d{16, {1, 1}, {1, 1}, {}, 1, true, arch::Clamp::Relu}, {x});
  x = b.add("gap", arch::GlobalAvgPool{}, {x});
  b.add("fc", arch::Linear{4}, {x});
  return b.finish();
}

// Random features and a head that scores -|x - class mean|^2 / 2, up to what all classes share: no training.
arch::Weights nearest_mean(const arch::Spec& spec, const data::Dataset& train, uint64_t seed) {
  arch::Weights weights = arch::random_weights(spec, seed);
  const runtime::FloatExecutor executor(spec, weights);
  std::vector<std::vector<double>> mean(4, std::vector<double>(16));
  std::vector<float> x(144);
  for (int64_t i = 0; i < train.size(); ++i) {
    train.get(i, x);
    executor.run(x, 1, [&](int node, std::span<const float> values) {
      if (spec.node(node).name != "gap") return;
      for (size_t c = 0; c < 16; ++c) {
        mean[static_cast<size_t>(train.label(i))][c] += 4.0 * double{values[c]} / static_cast<double>(train.size());
      }
    });
  }
  for (size_t k = 0; k < 4; ++k) {
    double square = 0;
    for (size_t c = 0; c < 16; ++c) {
      weights.tensors.at("fc.weight").f32()[k * 16 + c] = static_cast<float>(mean[k][c]);
      square += mean[k][c] * mean[k][c];
    }
    weights.tensors.at("fc.bias").f32()[k] = static_cast<float>(-square / 2);
  }
  return weights;
}

// Pixels straight to scores; what label it gives is plain to see.
arch::Spec direct(int classes) {
  arch::Builder b("direct", {classes, 1, 1});
  b.add("fc", arch::Linear{classes}, {b.input()});
  return b.finish();
}

}  // namespace

TEST_CASE("int8 keeps the accuracy of a network on separable images", "[quant][report]") {
  const arch::Spec spec = classifier();
  const auto train = gratings(200, 1), test = gratings(200, 2);
  const arch::Weights weights = nearest_mean(spec, *train, 3);
  const quant::Accuracy exact =
      quant::accuracy_of(quant::evaluate_float(spec, weights, *test, data::task_of(*test, false)));
  CHECK(exact.total == 200);
  CHECK(exact.percent() > 85.0);
  for (const std::string& observer : quant::observer_names()) {
    INFO(observer);
    quant::QuantOptions options;
    options.observer = observer;
    const quant::Quantized q = quant::quantize(arch::design_of(spec), weights, *train, options);
    const quant::Accuracy rounded =
        quant::accuracy_of(quant::evaluate_int8(spec, q.weights, q.quant, *test, data::task_of(*test, false)));
    CHECK(rounded.total == 200);
    CHECK(std::abs(rounded.percent() - exact.percent()) <= 2.0);
  }
}

TEST_CASE("the node that int8 spoils is the one that gives most back in floats", "[quant][report]") {
  const auto train = gratings(400, 1), test = gratings(200, 2);
  const arch::Spec spec = classifier();
  const arch::Weights weights = nearest_mean(spec, *train, 3);
  const data::Task task = data::task_of(*train, false);
  const quant::Quantized good = quant::quantize(arch::design_of(spec), weights, *train, {});
  runtime::QuantParams coarse = good.quant;
  coarse.nodes.at("c2").output.scale *= 150;  // two levels are left
  const quant::Quantized spoilt = quant::quantize(spec, arch::analyze(spec), weights, coarse);
  const auto found = quant::sensitivities(spec, weights, spoilt.weights, spoilt.quant, *test, task);
  REQUIRE(found.size() == 4);  // all in int8, c1, c2, fc; a pool loses nothing of its own
  CHECK(found[0].node.empty());
  const double exact = quant::accuracy_of(quant::evaluate_float(spec, weights, *test, task)).percent();
  const double simulated = quant::accuracy_of(found[0].alone).percent();
  const double integers =
      quant::accuracy_of(quant::evaluate_int8(spec, spoilt.weights, spoilt.quant, *test, task)).percent();
  CHECK(simulated == Approx(integers).margin(5));
  CHECK(simulated < exact - 10);
  for (const quant::Sensitivity& s : found) {
    INFO(s.node);
    const double alone = quant::accuracy_of(s.alone).percent();
    CHECK((alone > exact - 5) == (s.node == "c2"));
  }
}

TEST_CASE("the node whose range is too wide for 8 bits is the one that 16 bits serve", "[quant][report]") {
  const auto train = gratings(400, 1), test = gratings(200, 2);
  const arch::Spec spec = classifier();
  const arch::Weights weights = nearest_mean(spec, *train, 3);
  const data::Task task = data::task_of(*train, false);
  runtime::QuantParams coarse = quant::quantize(arch::design_of(spec), weights, *train, {}).quant;
  coarse.nodes.at("c2").output.scale *= 150;  // two levels are left
  const quant::Quantized spoilt = quant::quantize(spec, arch::analyze(spec), weights, coarse);
  const auto found = quant::int16_trials(spec, weights, spoilt.weights, spoilt.quant, *test, task);
  REQUIRE(found.size() == 2);  // c1 and c2: a pool has the bits of its input, outputs have 8
  const double exact = quant::accuracy_of(quant::evaluate_float(spec, weights, *test, task)).percent();
  CHECK(quant::accuracy_of(found[0].alone).percent() < exact - 10);
  CHECK(found[1].node == "c2");
  CHECK(quant::accuracy_of(found[1].alone).percent() > exact - 5);
  // The integers say the same; what has 16 bits already is not tried.
  const quant::Quantized wide = quant::quantize(arch::design_of(spec), weights, *train, {.int16 = {"c2"}});
  const auto integers = quant::evaluate_int8(spec, wide.weights, wide.quant, *test, task);
  CHECK(quant::accuracy_of(integers).percent() == Approx(quant::accuracy_of(found[1].alone).percent()).margin(2));
  CHECK(quant::int16_trials(spec, weights, wide.weights, wide.quant, *test, task).size() == 1);
  for (const quant::Int4Trial& trial :
       quant::int4_trials(arch::design_of(spec), weights, wide.weights, wide.quant, *test, task))
    CHECK(trial.node == "c1");  // c2 writes 16 bits, fc reads them
}

TEST_CASE("every layer is tried alone in 4 bits, and what it saves is counted", "[quant][report]") {
  const auto train = gratings(400, 1), test = gratings(200, 2);
  const arch::Spec spec = classifier();
  const arch::Weights weights = nearest_mean(spec, *train, 3);
  const data::Task task = data::task_of(*train, false);
  const arch::Design design = arch::design_of(spec);
  const quant::Quantized q = quant::quantize(design, weights, *train, {.bias_correction = false});
  const auto trials = quant::int4_trials(design, weights, q.weights, q.quant, *test, task);
  REQUIRE(trials.size() == 3);
  CHECK(trials[0].node == "c1");
  CHECK(trials[0].saved_bytes == 8 * 25);
  CHECK(trials[1].saved_bytes == 8 * 16);
  CHECK(trials[2].saved_bytes == 2 * 16);
  for (const quant::Int4Trial& trial : trials) {
    INFO(trial.node);
    arch::Design changed = design;
    arch::choose_int4(changed, {trial.node});
    const quant::Quantized own = quant::quantize(changed, weights, *train, {.bias_correction = false});
    CHECK(trial.alone.loss == quant::evaluate_int8(changed.lowered, own.weights, own.quant, *test, task).loss);
    CHECK(trial.alone.loss != quant::evaluate_int8(spec, q.weights, q.quant, *test, task).loss);
  }
}

TEST_CASE("accuracy counts the first of equal scores", "[quant][report]") {
  const arch::Spec spec = direct(3);
  arch::Weights weights;
  weights.tensors["fc.weight"] = arch::make_f32({3, 3}, std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0, 1});
  weights.tensors["fc.bias"] = arch::make_f32({3}, std::vector<float>{0, 0, 0});
  const std::vector<uint8_t> pixels = {0, 255, 0, 200, 200, 0, 200, 200, 0, 0, 0, 0, 9, 0, 255};
  const auto samples = data::make_image_dataset({3, 1, 1}, {"a", "b", "c"}, {{0, 0, 0}, {1, 1, 1}}, pixels,
                                                {1, 0, 1, 0, 1});  // right, right, wrong (tie), right, wrong
  const quant::Accuracy exact =
      quant::accuracy_of(quant::evaluate_float(spec, weights, *samples, data::task_of(*samples, false)));
  CHECK(exact.correct == 3);
  CHECK(exact.total == 5);
  const quant::Quantized q = quant::quantize(arch::design_of(spec), weights, *samples, {.observer = "min_max"});
  const quant::Accuracy rounded =
      quant::accuracy_of(quant::evaluate_int8(spec, q.weights, q.quant, *samples, data::task_of(*samples, false)));
  CHECK(rounded.correct == 3);
  CHECK(rounded.total == 5);
}

TEST_CASE("items of several classes are right when every decision is, in float and int8", "[quant][report]") {
  const arch::Spec spec = direct(3);
  arch::Weights weights;
  weights.tensors["fc.weight"] = arch::make_f32({3, 3}, std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0, 1});
  weights.tensors["fc.bias"] = arch::make_f32({3}, std::vector<float>{0, 0, 0});
  // Right; a class too few; none, right; the largest is marked, but so is another.
  const testing::MarkedDataset samples({3, 1, 1}, 3, {{1, 0, 1}, {1, 1, 0}, {0, 0, 0}, {0, 1, 1}},
                                       {1, -1, 0.5f, 1, -1, -1, -1, -0.5f, -1, -1, 1, -1});
  const data::Task task = data::task_of(samples, false);
  CHECK(task.independent);
  const data::Evaluation exact = quant::evaluate_float(spec, weights, samples, task);
  CHECK(exact.correct == 2);
  CHECK(exact.confusion.empty());
  const quant::Quantized q = quant::quantize(arch::design_of(spec), weights, samples, {.observer = "min_max"});
  const data::Evaluation rounded = quant::evaluate_int8(spec, q.weights, q.quant, samples, task);
  CHECK(rounded.correct == 2);
  for (const data::Metric& metric : data::metrics()) {
    const double before = metric.value(exact), after = metric.value(rounded);
    CHECK(std::isnan(after) == std::isnan(before));
    if (!std::isnan(before)) CHECK(after == Approx(before).epsilon(0.05));
  }
}

TEST_CASE("weights that are not finite are not quantized", "[quant]") {
  const arch::Spec spec = direct(3);
  arch::Weights weights = arch::random_weights(spec, 1);
  weights.tensors.at("fc.bias").f32()[2] = std::numeric_limits<float>::infinity();
  const auto samples = data::make_image_dataset({3, 1, 1}, {"a", "b", "c"}, {{0, 0, 0}, {1, 1, 1}}, {1, 2, 3}, {1});
  CHECK_THROWS_WITH(quant::quantize(arch::design_of(spec), weights, *samples, {}),
                    Catch::Contains("fc.bias") && Catch::Contains("inf"));
}

TEST_CASE("node reports recomputed from the two executors", "[quant][report]") {
  const arch::Spec spec = classifier();
  const auto samples = gratings(6, 4);
  const arch::Weights weights = arch::random_weights(spec, 5);
  const quant::Quantized q =
      quant::quantize(arch::design_of(spec), weights, *samples, {.observer = "percentile", .percentile = 97.0});
  const auto reports = quant::node_reports(spec, weights, q.weights, q.quant, *samples);
  REQUIRE(reports.size() == spec.nodes.size());

  const size_t node = 2;  // c2
  const arch::Shape shape = arch::analyze(spec).nodes[node].shape;
  const runtime::TensorQuant t = q.quant.nodes.at("c2").output;
  runtime::Int8Executor int8(runtime::build_program(spec, q.weights, q.quant));
  double signal = 0, noise = 0, clipped = 0;
  std::vector<int64_t> histogram(quant::kHistogramBins);
  for (int64_t i = 0; i < samples->size(); ++i) {
    std::vector<float> x(144), exact;
    std::vector<int8_t> in(144), out;
    samples->get(i, x);
    runtime::FloatExecutor(spec, weights).run(x, 1, [&](int n, std::span<const float> v) {
      if (n == static_cast<int>(node)) exact.assign(v.begin(), v.end());
    });
    int8.quantize_input(x, in);
    int8.run(in, [&](int n, std::span<const int16_t> v) {
      if (n == static_cast<int>(node)) out.assign(v.begin(), v.end());
    });
    for (int64_t p = 0; p < shape.h * shape.w; ++p) {
      for (int64_t c = 0; c < shape.c; ++c) {
        const double a = exact[static_cast<size_t>(c * shape.h * shape.w + p)];
        const int b = out[static_cast<size_t>(p * shape.c + c)];
        signal += a * a;
        noise += std::pow(a - t.scale * (b - t.zero_point), 2);
        clipped += a > t.scale * (127.5 - t.zero_point) || a < t.scale * (-128.5 - t.zero_point);
        for (size_t bin = 0; bin < histogram.size(); ++bin) {
          const double begin = t.scale * (4.0 * static_cast<double>(bin) - 128.5 - t.zero_point);
          histogram[bin] += a >= begin && a < begin + 4 * t.scale;
        }
      }
    }
  }
  CHECK(reports[node].node == "c2");
  CHECK(reports[node].output == t);
  CHECK(reports[node].snr_db == Approx(10 * std::log10(signal / noise)));
  CHECK(reports[node].saturated_fraction == Approx(clipped / static_cast<double>(6 * shape.elements())));
  CHECK(reports[node].saturated_fraction > 0.005);  // above the 97th percentile of the absolute values
  CHECK(reports[node].saturated_fraction < 0.06);
  CHECK(reports[node].histogram == histogram);

  const core::Table table = quant::to_table(reports);
  CHECK(table.rows.size() == reports.size());
  CHECK(core::to_json(table).find("\"snr_db\"") != std::string::npos);
  CHECK(core::to_text(table).find("c2") != std::string::npos);
}

TEST_CASE("a node without noise is exact in the table, null in JSON", "[quant][report]") {
  const double infinity = std::numeric_limits<double>::infinity();
  const core::Table table = quant::to_table({{"dead", infinity, 1.0, {0.5, 3}}, {"odd", -infinity, 0.0, {}}});
  CHECK(table.rows[0][1].json == "null");
  CHECK(table.rows[0][1].text == "exact");
  CHECK(table.rows[1][1].text == "no signal");
}

TEST_CASE("Wilson intervals of published examples", "[quant][report]") {
  // Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I,
  // method 3.
  struct Row {
    int64_t correct, total;
    double low, high;
  };
  for (const Row& r :
       {Row{81, 263, 25.53, 36.62}, Row{15, 148, 6.24, 16.05}, Row{0, 20, 0.0, 16.11}, Row{1, 29, 0.61, 17.18}}) {
    const quant::Interval i = quant::wilson_95({r.correct, r.total});
    CHECK(i.low_percent == Approx(r.low).margin(0.006));
    CHECK(i.high_percent == Approx(r.high).margin(0.006));
  }
  // An end of the interval is a proportion whose normal interval just reaches the observed one.
  const quant::Interval i = quant::wilson_95({1967, 2000});
  for (double p : {i.low_percent / 100, i.high_percent / 100}) {
    CHECK(std::abs(0.9835 - p) == Approx(1.959963985 * std::sqrt(p * (1 - p) / 2000)));
  }
  CHECK(quant::wilson_95({20, 20}).high_percent == 100.0);
  CHECK(quant::wilson_95({0, 0}).low_percent == 0.0);
  CHECK(quant::wilson_95({0, 0}).high_percent == 100.0);
}

TEST_CASE("accuracy as text", "[quant][report]") {
  CHECK(quant::to_string(quant::Accuracy{1967, 2000}) == "98.35 % (1967/2000, 95 % interval 97.69..98.82)");
  CHECK(quant::to_string(quant::Accuracy{0, 0}) == "0.00 % (0/0, 95 % interval 0.00..100.00)");
}

TEST_CASE("reports refuse samples and networks that do not fit", "[quant][report]") {
  const arch::Spec spec = classifier();
  const arch::Weights weights = arch::random_weights(spec, 1);
  const auto small = data::make_image_dataset({1, 4, 4}, {"a"}, {{0}, {1}}, std::vector<uint8_t>(16), {0});
  CHECK_THROWS_WITH(quant::accuracy_of(quant::evaluate_float(spec, weights, *small, data::task_of(*small, false))),
                    Catch::Contains("1x4x4"));
  arch::Builder b("map", {1, 4, 4});
  b.add("act", arch::Activation{}, {b.input()});
  const arch::Spec map = b.finish();
  CHECK_THROWS_WITH(quant::evaluate_float(map, {}, *small, data::task_of(*small, false)),
                    Catch::Contains("1x4x4") && Catch::Contains("one output per class"));
}
