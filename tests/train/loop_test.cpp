// Training as a whole through the exported interface: learns, repeats itself bit for bit, goes on exactly after a stop.
#include <cmath>
#include <limits>

#include "condenser/arch/passes.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/quant/quantize.hpp"
#include "condenser/quant/report.hpp"
#include "support/catch.hpp"
#include "train/quick_run.hpp"
#include "train/temporary_folder.hpp"

namespace condenser::train {
namespace {

using testing::backend;
using testing::ClearStop;
using testing::metrics;
using Run = testing::QuickRun;
using testing::small_net;
using testing::stripes;

}  // namespace

TEST_CASE("the exported function knows its version", "[train]") {
  CHECK(condenser_torch_backend("another") == nullptr);
  CHECK(backend().version().find("LibTorch 2") == 0);
}

TEST_CASE("training learns a separable set", "[train]") {
  Run run;
  run.options.epochs = 12;
  run.options.optimizer = GENERATE(as<std::string>(), "sgd", "adamw");
  run.options.lr = run.options.optimizer == "sgd" ? 0.1 : 0.01;
  const FitResult result = run.fit({});
  REQUIRE(result.validation);
  CHECK(result.validation->total == 30);
  CHECK(result.validation->correct >= 29);
  CHECK(result.resumed_at_step == 0);

  const Evaluation again =
      backend().evaluate(run.spec, result.weights, *run.validation, data::task_of(*run.validation, false), 1);
  CHECK(again.correct == result.validation->correct);
  CHECK(again.loss == Approx(result.validation->loss));
  int64_t diagonal = 0, all = 0;
  for (size_t i = 0; i < 3; ++i)
    for (size_t k = 0; k < 3; ++k) diagonal += i == k ? again.confusion[i][k] : 0, all += again.confusion[i][k];
  CHECK(diagonal == again.correct);
  CHECK(all == again.total);
}

TEST_CASE("equal seeds give equal bits, other seeds others", "[train]") {
  Run run;
  run.options.epochs = 2;
  run.options.threads = GENERATE(1, 2);
  const FitResult first = run.fit({}), second = run.fit({});
  CHECK(first.weights == second.weights);
  CHECK(first.validation->loss == second.validation->loss);
  run.options.seed = 6;
  CHECK_FALSE(run.fit({}).weights == first.weights);
}

TEST_CASE("a stopped and resumed run equals an uninterrupted one", "[train]") {
  const ClearStop clear;
  Run run;
  run.options.optimizer = GENERATE(as<std::string>(), "sgd", "adamw");
  if (run.options.optimizer == "adamw") run.options.lr = 0.01;
  const testing::TemporaryFolder whole("whole"), parts("parts");
  const FitResult expected = run.fit(whole.path());

  for (const int64_t stop_at : {3, 10, 11}) {  // within an epoch, at the end of one (5 steps each), right after it
    CHECK_THROWS_AS(run.fit(parts.path(), stop_at), core::Stopped);
    core::request_stop(0);
  }
  run.options.loader_threads = 2;  // both may change
  run.options.checkpoint_steps = 4;
  const FitResult resumed = run.fit(parts.path());
  CHECK(resumed.resumed_at_step == 11);
  CHECK(resumed.weights == expected.weights);
  CHECK(resumed.validation->loss == expected.validation->loss);
  CHECK(metrics(parts.path()) == metrics(whole.path()));
  CHECK(metrics(parts.path()).size() == 5);  // the header and four epochs
  CHECK(std::filesystem::exists(parts.path() / "checkpoints" / "best.safetensors"));
  arch::check_weights(run.spec, arch::load_weights(parts.path() / "checkpoints" / "best.safetensors"));

  const FitResult complete = run.fit(parts.path());  // nothing left to do
  CHECK(complete.resumed_at_step == 20);
  CHECK(complete.weights == expected.weights);
  CHECK(complete.validation->correct == expected.validation->correct);
}

TEST_CASE("a checkpoint of other options or of another network is refused", "[train]") {
  Run run;
  run.options.epochs = 1;
  const testing::TemporaryFolder folder("refuse");
  run.fit(folder.path());
  Run other = run;
  other.options.lr = 0.2;
  CHECK_THROWS_AS(other.fit(folder.path()), core::ConfigError);
  CHECK_THROWS_WITH(other.fit(folder.path()), Catch::Contains("lr = 0.1"));
  Run more = run;
  more.train = stripes(93, 1);
  CHECK_THROWS_WITH(more.fit(folder.path()), Catch::Contains("training data (checksum)"));

  const auto file = folder.path() / "checkpoints" / "last.safetensors";
  const std::string bytes = core::read_file(file);
  core::write_atomic(file, std::string_view(bytes).substr(0, bytes.size() / 2));
  CHECK_THROWS_WITH(run.fit(folder.path()), Catch::Contains("last.safetensors") && Catch::Contains("remove"));
}

TEST_CASE("data that does not fit the network is refused", "[train]") {
  Run run;
  arch::Builder b("wide", {1, 9, 8});
  arch::classifier_head(b, b.input(), 3);
  const arch::Spec wide = b.finish();
  CHECK_THROWS_WITH(backend().fit({.spec = wide,
                                   .train = run.train,
                                   .validation = nullptr,
                                   .options = run.options,
                                   .folder = {},
                                   .on_progress = {}}),
                    Catch::Contains("1x9x8") && Catch::Contains("1x8x8"));
  arch::Builder c("four", {1, 8, 8});
  arch::classifier_head(c, c.input(), 4);
  const arch::Spec four = c.finish();
  CHECK_THROWS_WITH(backend().evaluate(four, arch::random_weights(four, 1), *run.validation,
                                       data::task_of(*run.validation, false), 1),
                    Catch::Contains("3 classes"));
}

TEST_CASE("a diverging run says so", "[train]") {
  Run run;
  run.options.lr = 1e30;
  run.options.warmup_epochs = 0;
  run.options.weight_decay = 0;
  run.options.epochs = 40;
  CHECK_THROWS_WITH(run.fit({}),
                    Catch::Contains("diverged") && (Catch::Contains("output of node") || Catch::Contains("parameter")));
}

TEST_CASE("a short training that diverges says so", "[train]") {
  Run run;
  run.options.lr = 1e30;
  run.options.warmup_epochs = 0;
  run.options.weight_decay = 0;
  const auto probe = backend().make_probe({"short_train", run.train, run.validation, run.options});
  search::Findings findings;
  CHECK_THROWS_WITH(probe->ask(arch::Design{run.spec}, {.seed = 9, .fidelity = 1.0}, findings),
                    Catch::Contains("diverged"));
  CHECK(findings == search::Findings{});
}

TEST_CASE("weights that are not finite are refused by the tensor", "[train]") {
  Run run;
  arch::Weights weights = arch::random_weights(run.spec, 1);
  const std::string name = arch::parameters(run.spec).back().name;
  weights.tensors.at(name).f32()[1] = std::numeric_limits<float>::quiet_NaN();
  const data::Task task = data::task_of(*run.validation, false);
  CHECK_THROWS_WITH(backend().evaluate(run.spec, weights, *run.validation, task, 1),
                    Catch::Contains(name) && Catch::Contains("nan") && Catch::Contains("position 1"));
}

TEST_CASE("a metric that the validation part cannot define is refused", "[train]") {
  Run run;
  run.options.metric = "auc";
  run.options.patience = 1;
  run.options.keep = "best";
  run.validation = data::subset(run.validation, {0, 3, 6});
  CHECK_THROWS_WITH(run.fit({}), Catch::Contains("train.metric = auc"));
}

TEST_CASE("every task has the same figures in training, of the float executor and nearly of int8", "[train]") {
  Run run;
  run.options.loss = GENERATE(as<std::string>(), "cross_entropy", "binary");
  run.options.epochs = 6;
  const FitResult result = run.fit({});
  const data::Task task = data::task_of(*run.validation, run.options.loss == "binary");
  const Evaluation torch = backend().evaluate(run.spec, result.weights, *run.validation, task, 1);
  arch::Weights lowered_weights = result.weights;
  const arch::Spec lowered = arch::lower(run.spec, &lowered_weights);
  const Evaluation executor = quant::evaluate_float(lowered, lowered_weights, *run.validation, task);
  const auto q = quant::quantize(arch::design_of(run.spec), lowered_weights, *run.train, {});
  const Evaluation int8 = quant::evaluate_int8(lowered, q.weights, q.quant, *run.validation, task);
  CHECK(result.validation->loss == Approx(torch.loss));
  for (const data::Metric& metric : data::metrics()) {
    INFO(metric.name);
    CHECK(std::isnan(metric.value(torch)) == std::isnan(metric.value(executor)));  // of another task
    if (std::isnan(metric.value(torch))) continue;
    CHECK(metric.value(torch) == Approx(metric.value(executor)).epsilon(1e-4));
    // Of few items: a pair that changes places is some points of AUC.
    CHECK(std::abs(metric.value(int8) - metric.value(executor)) < 0.08 * std::max(1.0, metric.value(executor)));
  }
  for (size_t i = 0; i < torch.predictions.size(); ++i) {
    CHECK(torch.predictions[i].predicted == executor.predictions[i].predicted);
    CHECK(torch.predictions[i].probability == Approx(executor.predictions[i].probability).margin(1e-4));
  }
}

TEST_CASE("short training answers by the seed of its context", "[train]") {
  const ClearStop clear;
  Run run;
  run.options.epochs = 8;
  const auto probe = backend().make_probe({"short_train", run.train, run.validation, run.options});
  CHECK(probe->name() == "short_train");
  CHECK(probe->cost_seconds() > 0);
  const search::Candidate candidate = arch::design_of(run.spec);
  search::Findings first, second, quarter;
  probe->ask(candidate, {.seed = 9, .fidelity = 1.0}, first);
  probe->ask(candidate, {.seed = 9, .fidelity = 1.0}, second);
  probe->ask(candidate, {.seed = 9, .fidelity = 0.125}, quarter);
  CHECK(first == second);
  CHECK(first.metrics.at("val_accuracy") > 60.0);
  CHECK(first.metrics.at("val_accuracy") <= 100.0);
  CHECK(first.metrics.at("val_loss") < quarter.metrics.at("val_loss"));
  core::request_stop(SIGINT);
  search::Findings none;
  CHECK_THROWS_AS(probe->ask(candidate, {.seed = 9, .fidelity = 1.0}, none), core::Stopped);
  CHECK(none == search::Findings{});
  core::request_stop(0);
  CHECK_THROWS_AS(backend().make_probe({"short_train", run.train, nullptr, run.options}), core::ConfigError);
}

TEST_CASE("the exported forward checks its input", "[train]") {
  const arch::Spec spec = small_net();
  const auto weights = arch::random_weights(spec, 1);
  CHECK(backend().forward(spec, weights, std::vector<float>(128), 2).size() == 6);
  CHECK_THROWS_AS(backend().forward(spec, weights, std::vector<float>(127), 2), core::Error);
}

}  // namespace condenser::train
